/** The names of kinds, each stored once and known by a number, so that a node spends two bytes on its own. */
import { InvalidArgumentError } from '../../core/errors.js';
import { aName, checkArgument } from '../../core/options.js';
import { MAX_KINDS } from './node-store.js';

/** The number of the kind `node`, which a node has that was given none. */
export const DEFAULT_KIND = 0;

export class KindNames {
  readonly #ids: Map<string, number> = new Map([['node', DEFAULT_KIND]]);
  readonly #names: string[] = ['node'];

  /** The kind's number; a new one for a new name. */
  id(name: string): number {
    return this.#ids.get(name) ?? this.#add(name);
  }

  name(id: number): string {
    return this.#names[id] as string;
  }

  #add(name: string): number {
    checkArgument('heap.alloc', 'kind', name, aName);
    const id = this.#names.length;
    if (id === MAX_KINDS) {
      throw new InvalidArgumentError(
        `heap.alloc: more than ${MAX_KINDS} kinds. A kind is a class of nodes, not a name for one.`,
      );
    }
    this.#ids.set(name, id);
    this.#names.push(name);
    return id;
  }
}
