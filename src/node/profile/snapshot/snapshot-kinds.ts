/**
 * The kinds of a snapshot's nodes, named as Chromium's DevTools names its classes: an object by its constructor, all else by
 * what V8 calls its type, as in `(string)` or `(compiled code)`.
 */
import { IndexSet } from './index-set.js';
import type { SnapshotColumns } from './read-columns.js';
import type { StringTable } from './string-table.js';

/** Kinds of the types whose names do not tell more. */
const NAMES: Readonly<Record<string, string>> = {
  hidden: '(system)',
  code: '(compiled code)',
  closure: 'Function',
  regexp: 'RegExp',
};

export class SnapshotKinds {
  /** Name of each kind. */
  readonly names: readonly string[];
  readonly #columns: SnapshotColumns;
  /** Kind of each type; -1 for the types whose nodes have kinds by their own names. */
  readonly #ofType: Int32Array;
  /** Kind of each string that names such a node. */
  readonly #ofName: Uint32Array;

  constructor(columns: SnapshotColumns, strings: StringTable) {
    const { header, nodeTypes, nodeNames } = columns;
    const ids = new Map<string, number>();
    const idOf = (name: string): number => {
      const id = ids.get(name) ?? ids.size;
      ids.set(name, id);
      return id;
    };
    this.#columns = columns;
    this.#ofType = Int32Array.from(header.nodeTypes, (type) =>
      type === 'object' || type === 'native' ? -1 : idOf(NAMES[type] ?? `(${type})`),
    );
    this.#ofName = new Uint32Array(strings.size);
    const named = new IndexSet(strings.size);
    for (let node = 0; node < nodeTypes.length; node++) {
      if ((this.#ofType[nodeTypes[node] as number] as number) < 0) {
        named.add(nodeNames[node] as number);
      }
    }
    strings.visit(named, (text, index) => {
      this.#ofName[index] = idOf(text);
    });
    this.names = [...ids.keys()];
  }

  /** Gives the kind of a node, as an index of {@link names}. O(1). */
  of(node: number): number {
    const kind = this.#ofType[this.#columns.nodeTypes[node] as number] as number;
    return kind >= 0 ? kind : (this.#ofName[this.#columns.nodeNames[node] as number] as number);
  }
}
