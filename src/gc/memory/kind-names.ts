/** Names of kinds. Each name is stored once and has a number, so that the kind of a node takes two bytes. */
import { InvalidArgumentError } from '../../core/errors.js';
import { aName, checkArgument } from '../../core/options.js';
import { MAX_KINDS } from './node-store.js';

/** Number of the kind `node`, which is the default. */
export const DEFAULT_KIND = 0;

export class KindNames {
  readonly #ids: Map<string, number> = new Map([['node', DEFAULT_KIND]]);
  readonly #names: string[] = ['node'];

  /** Returns the number of a kind. A new name gets a new number. */
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
