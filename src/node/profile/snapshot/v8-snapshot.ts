/**
 * A heap snapshot of V8 in memory: what each object is, how large it is, what it refers to, what it retains, and what keeps it
 * alive. Columns are typed arrays, so 15 million nodes fit into 1.3 GB with all that is derived from them.
 */
import { checkArgument, integer } from '../../../core/options.js';
import type { GraphColumns } from '../../../gc/views/dominator-tree.js';
import type { CensusColumns, CensusSource } from '../../../profile/census-source.js';
import { Ephemerons } from './ephemerons.js';
import type { IndexSet } from './index-set.js';
import { LocationTable, type ScriptNames, type SnapshotLocation } from './location-table.js';
import type { SnapshotColumns } from './read-columns.js';
import { type ArrivalEdges, shortestPaths } from './root-paths.js';
import { SnapshotKinds } from './snapshot-kinds.js';
import { snapshotRoots } from './snapshot-roots.js';
import type { StringTable } from './string-table.js';
import { strongEdges } from './strong-edges.js';

/** A reference of a {@link V8Snapshot}. */
export interface SnapshotEdge {
  /** What V8 calls it: `'property'`, `'element'`, `'context'`, `'internal'`, `'weak'`, … */
  readonly type: string;
  /** Name of the property or variable; index of the element. */
  readonly name: string | number;
  /** The node that it leads to. */
  readonly to: number;
}

/** A step of a path from the root of a {@link V8Snapshot}. */
export interface SnapshotStep {
  /** The node that the step leads to. */
  readonly node: number;
  /** Kind of the node. */
  readonly kind: string;
  /** The reference that leads to the node; absent for the root. */
  readonly edge?: SnapshotEdge;
}

/** Source and precision of every size that a {@link V8Snapshot} gives. */
const SIZE_SOURCE =
  'V8 heap snapshot, exact at its moment: shallow sizes as V8 counts them, retained sizes by dominators';

/**
 * A heap snapshot of V8, read by {@link openSnapshot}. Its nodes are the integers from 0, the root, to `nodeCount` − 1. They mean
 * nothing in another snapshot; `idOf` gives what does.
 *
 * `census(snapshot)` of `tenure/profile` counts its objects, and gives dominators and retained sizes. These and paths are
 * computed when first asked for. That takes seconds for millions of nodes, and the event loop stands still: do it in a script
 * or a worker, not in a service.
 *
 * @example
 * ```ts
 * import { once } from 'node:events';
 * import { rmSync } from 'node:fs';
 * import { Worker } from 'node:worker_threads';
 * import { census } from 'tenure/profile';
 * import { openSnapshot } from 'tenure/profile/v8';
 *
 * const file = `/tmp/sessions-${process.pid}.heapsnapshot`;
 * const worker = new Worker(
 *   `class Session {}
 *   globalThis.kept = [new Session(), new Session()];
 *   require('node:v8').writeHeapSnapshot(${JSON.stringify(file)});`,
 *   { eval: true },
 * );
 * await once(worker, 'exit');
 *
 * const snapshot = await openSnapshot(file);
 * census(snapshot).row('Session').total.count; // => 2
 * snapshot.pathTo(snapshot.nodesOf('Session')[0] ?? 0).at(-1)?.kind; // => 'Session'
 * rmSync(file);
 * ```
 */
export class V8Snapshot implements CensusSource {
  /** The file that was read. */
  readonly file: string;
  /** Number of nodes. */
  readonly nodeCount: number;
  /** Number of references. */
  readonly edgeCount: number;
  /** Where the sizes come from, and how exact they are. */
  readonly source: string = SIZE_SOURCE;
  readonly #columns: SnapshotColumns;
  readonly #strings: StringTable;
  readonly #locations: LocationTable;
  readonly #kinds: SnapshotKinds;
  #ephemerons: Ephemerons | undefined;
  #strong: IndexSet | undefined;
  #arrivals: ArrivalEdges | undefined;

  /** @internal */
  constructor(
    file: string,
    columns: SnapshotColumns,
    strings: StringTable,
    scriptNames: ScriptNames,
  ) {
    this.file = file;
    this.nodeCount = columns.header.nodeCount;
    this.edgeCount = columns.header.edgeCount;
    this.#columns = columns;
    this.#strings = strings;
    this.#locations = new LocationTable(columns.locations, scriptNames);
    this.#kinds = new SnapshotKinds(columns, strings);
  }

  // ── Nodes ──

  /** Gives the kind of a node: the name of its constructor, or `(string)`, `(array)`, `(compiled code)`, … O(1). */
  kindOf(node: number): string {
    this.#check('kindOf', node);
    return this.#kinds.names[this.#kinds.of(node)] as string;
  }

  /** Gives V8's own name of a node: of a class, a function or a variable's scope, or the text of a string. Reads the file. */
  nameOf(node: number): string {
    this.#check('nameOf', node);
    return this.#strings.get(this.#columns.nodeNames[node] as number);
  }

  /** Gives V8's type of a node: `'object'`, `'closure'`, `'array'`, `'native'`, … O(1). */
  typeOf(node: number): string {
    this.#check('typeOf', node);
    return this.#columns.header.nodeTypes[this.#columns.nodeTypes[node] as number] as string;
  }

  /** Gives the number that V8 has given to an object. It is the same in every snapshot of one process. O(1). */
  idOf(node: number): number {
    this.#check('idOf', node);
    return this.#columns.nodeIds[node] as number;
  }

  /** Gives the size of a node alone, in bytes. O(1). */
  sizeOf(node: number): number {
    this.#check('sizeOf', node);
    return this.#sizeOf(node);
  }

  /** Gives where a function, or the constructor of an object, is defined; `undefined` for a plain object and other nodes. */
  locationOf(node: number): SnapshotLocation | undefined {
    this.#check('locationOf', node);
    return this.#locations.get(node);
  }

  /** Gives the nodes of a kind, in the order of the file. O(nodes). */
  nodesOf(kind: string): number[] {
    const wanted = this.#kinds.names.indexOf(kind);
    const nodes: number[] = [];
    for (let node = 0; wanted >= 0 && node < this.nodeCount; node++) {
      if (this.#kinds.of(node) === wanted) nodes.push(node);
    }
    return nodes;
  }

  // ── References ──

  /** Gives the references of a node, weak ones included. Reads their names from the file. */
  edgesOf(node: number): SnapshotEdge[] {
    this.#check('edgesOf', node);
    const edges: SnapshotEdge[] = [];
    const { firstEdge } = this.#columns;
    for (let e = firstEdge[node] as number; e < (firstEdge[node + 1] as number); e++) {
      edges.push(this.#edge(e));
    }
    return edges;
  }

  /**
   * Gives the shortest path from the root to a node, through the global objects if there is such a path; empty if only weak
   * references lead to the node. The first call takes O(edges), later ones O(length).
   */
  pathTo(node: number): SnapshotStep[] {
    this.#check('pathTo', node);
    this.#arrivals ??= shortestPaths(this.#columns, this.#strings, this.#knownEphemerons());
    const steps: SnapshotStep[] = [];
    let at = node;
    for (let arrival = this.#arrivals[at] as number; arrival !== 0; ) {
      steps.push({ node: at, kind: this.kindOf(at), edge: this.#edge(arrival - 1) });
      at = this.#sourceOf(arrival - 1);
      arrival = this.#arrivals[at] as number;
    }
    return at === 0 ? [{ node: 0, kind: this.kindOf(0) }, ...steps.reverse()] : [];
  }

  // ── Census ──

  /** Gives the snapshot as columns, for `census()` of `tenure/profile`. */
  censusColumns(): CensusColumns {
    const { firstEdge, targets } = this.#columns;
    const known: { graph?: GraphColumns; roots?: readonly number[] } = {};
    const graphOf = (): GraphColumns => {
      known.graph ??= { firstEdge, targets, strong: this.#knownStrongEdges().bits };
      return known.graph;
    };
    return {
      heap: 'v8',
      source: SIZE_SOURCE,
      nodeCount: this.nodeCount,
      kinds: this.#kinds.names,
      get graph() {
        return graphOf();
      },
      get roots() {
        known.roots ??= snapshotRoots(graphOf());
        return known.roots;
      },
      kindIndexOf: (node) => this.#kinds.of(node),
      sizeOf: (node) => this.#sizeOf(node),
      identityOf: (node) => this.#columns.nodeIds[node] as number,
      handleOf: (node) => node,
      nodeOf: (handle) =>
        Number.isInteger(handle) && handle >= 0 && handle < this.nodeCount ? handle : undefined,
      siteOf: (node) => this.#siteOf(node),
      edgeNameOf: (edge) => labelOf(this.#edge(edge)),
      pathTo: (node) =>
        this.pathTo(node).map((step) =>
          step.edge === undefined
            ? { node: step.node }
            : { node: step.node, via: labelOf(step.edge) },
        ),
    };
  }

  #siteOf(node: number): string | undefined {
    const location = this.#locations.get(node);
    return location && `${location.file}:${location.line}:${location.column}`;
  }

  #knownStrongEdges(): IndexSet {
    this.#strong ??= strongEdges(this.#columns, this.#strings, this.#knownEphemerons());
    return this.#strong;
  }

  #knownEphemerons(): Ephemerons {
    this.#ephemerons ??= new Ephemerons(this.#columns, this.#strings);
    return this.#ephemerons;
  }

  #sizeOf(node: number): number {
    const size = this.#columns.nodeSizes[node] as number;
    return size === 0 ? (this.#columns.hugeSizes.get(node) ?? 0) : size;
  }

  #edge(edge: number): SnapshotEdge {
    const { header, edgeTypes, edgeNames, targets } = this.#columns;
    const type = header.edgeTypes[edgeTypes[edge] as number] as string;
    const name = edgeNames[edge] as number;
    const isIndexed = type === 'element' || type === 'hidden';
    return {
      type,
      name: isIndexed ? name : this.#strings.get(name),
      to: targets[edge] as number,
    };
  }

  /** Gives the node that an edge belongs to. O(log nodes). */
  #sourceOf(edge: number): number {
    const { firstEdge } = this.#columns;
    let low = 0;
    let high = this.nodeCount;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((firstEdge[middle + 1] as number) <= edge) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #check(method: string, node: number): void {
    checkArgument(`V8Snapshot.${method}`, 'node', node, integer(0, this.nodeCount - 1));
  }
}

/** Gives the name of a reference as code has it, and in angle brackets if no code can name it. */
function labelOf({ type, name }: SnapshotEdge): string {
  if (type === 'property') return `.${name}`;
  if (type === 'element') return `[${name}]`;
  return type === 'context' ? `(${name})` : `<${name}>`;
}
