/**
 * Where functions, generators and constructors of the snapshot's objects are defined. V8 gives a script's number, not its
 * file; {@link ScriptNames} gives the file. Lines and columns begin at 0 in the file, and at 1 here. A script whose source is wrapped, as
 * test runners do, begins before its first line or column: Node 24 tells the wrapper's places by numbers below 0. They count as 0.
 */

/** The file or URL of each script, by its number. */
export type ScriptNames = Readonly<Record<string, string>>;

/** Where a function or a constructor is defined. */
export interface SnapshotLocation {
  /** The file or URL of the script; `script 123` if no names of scripts were given. */
  readonly file: string;
  /** The line, from 1. */
  readonly line: number;
  /** The column, from 1. */
  readonly column: number;
}

export interface LocationColumns {
  /** Node of each location, in ascending order. */
  readonly nodes: Uint32Array;
  readonly scripts: Uint32Array;
  readonly lines: Int32Array;
  readonly columns: Int32Array;
}

export class LocationTable {
  readonly #columns: LocationColumns;
  readonly #scriptNames: ScriptNames;

  constructor(columns: LocationColumns, scriptNames: ScriptNames) {
    this.#columns = sortedByNode(columns);
    this.#scriptNames = scriptNames;
  }

  get size(): number {
    return this.#columns.nodes.length;
  }

  /** Gives where the function or constructor of a node is defined; `undefined` for a node without one. O(log locations). */
  get(node: number): SnapshotLocation | undefined {
    const { nodes, scripts, lines, columns } = this.#columns;
    let low = 0;
    let high = nodes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((nodes[middle] as number) < node) low = middle + 1;
      else high = middle;
    }
    if (nodes[low] !== node) return undefined;
    const script = scripts[low] as number;
    return {
      file: this.#scriptNames[script] ?? `script ${script}`,
      line: Math.max(0, lines[low] as number) + 1,
      column: Math.max(0, columns[low] as number) + 1,
    };
  }
}

function sortedByNode(table: LocationColumns): LocationColumns {
  const { nodes } = table;
  if (nodes.every((node, i) => i === 0 || (nodes[i - 1] as number) <= node)) return table;
  const order = nodes.map((_, i) => i).sort((a, b) => (nodes[a] as number) - (nodes[b] as number));
  const inOrder = <A extends Uint32Array | Int32Array>(column: A): A =>
    column.map((_, at) => column[order[at] as number] as number) as A;
  return {
    nodes: inOrder(nodes),
    scripts: inOrder(table.scripts),
    lines: inOrder(table.lines),
    columns: inOrder(table.columns),
  };
}
