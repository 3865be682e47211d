/**
 * Values of WeakMaps. Key and table hold a value together, and V8 writes an edge from each. The name of both edges says so:
 *
 * ```
 *   3 / part of key (Session @101) -> value (Object @103) pair in WeakMap (table @99)
 * ```
 */
import { IndexSet } from './index-set.js';
import type { SnapshotColumns } from './read-columns.js';
import type { StringTable } from './string-table.js';

const NAME =
  /^\d+( \/ part of key \(.*? @\d+\) -> value \(.*? @\d+\) pair in WeakMap \(table @(\d+)\))$/s;

/** The pairs of key and value in WeakMaps, by the names of their edges. */
export class Ephemerons {
  /** Number of the pair that each string names, from 1; 0 for a string that names none. */
  readonly #pairOf: Uint32Array;
  /** Id of each pair's table. */
  readonly #tables: number[] = [0];

  constructor({ header, edgeTypes, edgeNames }: SnapshotColumns, strings: StringTable) {
    this.#pairOf = new Uint32Array(strings.size);
    const internal = header.edgeTypes.indexOf('internal');
    const names = new IndexSet(strings.size);
    for (let edge = 0; edge < edgeTypes.length; edge++) {
      if (edgeTypes[edge] === internal) names.add(edgeNames[edge] as number);
    }
    const pairs = new Map<string, number>();
    strings.visit(names, (text, index) => {
      const [, part, table] = NAME.exec(text) ?? [];
      if (part === undefined) return;
      let pair = pairs.get(part);
      if (pair === undefined) {
        pair = this.#tables.push(Number(table)) - 1;
        pairs.set(part, pair);
      }
      this.#pairOf[index] = pair;
    });
  }

  /** One more than the number of pairs. */
  get end(): number {
    return this.#tables.length;
  }

  /** Gives the pair that an internal edge with this name belongs to; 0 if it belongs to none. */
  pairOf(edgeName: number): number {
    return this.#pairOf[edgeName] ?? 0;
  }

  /** Gives the id of the table of a pair. */
  tableOf(pair: number): number {
    return this.#tables[pair] as number;
  }
}
