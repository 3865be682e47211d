/** The names of kinds, each stored once and known by a number, so that a node spends two bytes on its own. */
import { InvalidArgumentError } from '../../core/errors.js';
import { aName, checkArgument } from '../../core/options.js';
import { MOST_NAMES } from './node-store.js';

/** The number of the kind `node`, which a node has that was given none. */
export const NAMELESS = 0;

export class KindNames {
  readonly #ids: Map<string, number> = new Map([['node', NAMELESS]]);
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
    if (id === MOST_NAMES) {
      throw new InvalidArgumentError(
        `heap.alloc: more than ${MOST_NAMES} kinds. A kind is a class of nodes, not a name for one.`,
      );
    }
    this.#ids.set(name, id);
    this.#names.push(name);
    return id;
  }
}
