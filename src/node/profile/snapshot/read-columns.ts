/**
 * Reads a heap snapshot into typed arrays: 17 bytes a node and 9 bytes an edge. The numbers go straight from the file to the
 * arrays, and no string is built. A file of 1 GB takes a few seconds of cpu; the event loop turns every few milliseconds.
 *
 * ```
 *   { "snapshot": { "meta": …, "node_count": … },    ──▶ header: the order of the fields
 *     "nodes":     [ type, name, id, size, edges, …   ──▶ one column per field; edges become the index of the first
 *     "edges":     [ type, name, to, …                ──▶ one column per field; `to` is a position in "nodes"
 *     "locations": [ node, script, line, column, …    ──▶ definitions of functions and constructors
 *     "strings":   [ "…", … ] }                       ──▶ where each string stands in the file
 * ```
 *
 * Node 20 to 26 write these keys in this order. Only `snapshot` has to come first.
 */
import { setImmediate } from 'node:timers/promises';
import { BadSnapshotError } from '../profile-errors.js';
import { GrowingColumn } from './growing-column.js';
import { type JsonFileReader, UnexpectedJson } from './json-file-reader.js';
import type { LocationColumns } from './location-table.js';
import { parseHeader, type SnapshotHeader } from './snapshot-header.js';

/** The nodes and edges of a snapshot. Node 0 is the root. */
export interface SnapshotColumns {
  readonly header: SnapshotHeader;
  /** Index of each node's type in the header. */
  readonly nodeTypes: Uint8Array;
  /** Index of each node's name in the strings. */
  readonly nodeNames: Uint32Array;
  readonly nodeIds: Uint32Array;
  readonly nodeSizes: Uint32Array;
  /** Sizes of nodes that 32 bits do not hold, whose entry in `nodeSizes` is 0. */
  readonly hugeSizes: ReadonlyMap<number, number>;
  /** Index of each node's first edge, and after the last node the number of edges. */
  readonly firstEdge: Uint32Array;
  readonly edgeTypes: Uint8Array;
  /** Index in the strings, or of the element, by the type of the edge. */
  readonly edgeNames: Uint32Array;
  /** The node that each edge leads to. */
  readonly targets: Uint32Array;
  readonly locations: LocationColumns;
  /** Position of each string in the file, and a position behind the last one. */
  readonly stringStarts: Float64Array;
}

/** Records in a batch: about 0.2 MB of the file, between two turns of the event loop. */
const BATCH_RECORDS = 8192;

const MOST_32_BITS = 2 ** 32 - 1;

/** Reads the whole file. `onHeader` may throw before memory is taken. */
export async function readColumns(
  file: string,
  reader: JsonFileReader,
  onHeader: (header: SnapshotHeader) => void,
): Promise<SnapshotColumns> {
  try {
    return await new ColumnReader(reader, onHeader).read();
  } catch (error) {
    if (error instanceof UnexpectedJson) throw new BadSnapshotError(file, error.message);
    throw error;
  }
}

class ColumnReader {
  readonly #reader: JsonFileReader;
  readonly #onHeader: (header: SnapshotHeader) => void;
  #header: SnapshotHeader | undefined;
  #nodes:
    | Pick<
        SnapshotColumns,
        'nodeTypes' | 'nodeNames' | 'nodeIds' | 'nodeSizes' | 'hugeSizes' | 'firstEdge'
      >
    | undefined;
  #edges: Pick<SnapshotColumns, 'edgeTypes' | 'edgeNames' | 'targets'> | undefined;
  #locations: LocationColumns = {
    nodes: new Uint32Array(),
    scripts: new Uint32Array(),
    lines: new Int32Array(),
    columns: new Int32Array(),
  };
  #stringStarts: Float64Array | undefined;

  constructor(reader: JsonFileReader, onHeader: (header: SnapshotHeader) => void) {
    this.#reader = reader;
    this.#onHeader = onHeader;
  }

  async read(): Promise<SnapshotColumns> {
    this.#reader.enterObject();
    for (let key = this.#reader.nextKey(); key !== undefined; key = this.#reader.nextKey()) {
      if (key === 'snapshot') this.#readHeader();
      else if (key === 'nodes') await this.#readNodes();
      else if (key === 'edges') await this.#readEdges();
      else if (key === 'locations') await this.#readLocations();
      else if (key === 'strings') await this.#readStrings();
      else this.#reader.skipValue();
    }
    this.#reader.expectEnd();
    const header = this.#knownHeader();
    const [nodes, edges, stringStarts] = [this.#nodes, this.#edges, this.#stringStarts];
    if (nodes === undefined || edges === undefined || stringStarts === undefined) {
      throw new UnexpectedJson('it has no nodes, no edges or no strings.');
    }
    return { header, ...nodes, ...edges, locations: this.#locations, stringStarts };
  }

  #readHeader(): void {
    const text = this.#reader.valueText();
    try {
      this.#header = parseHeader(text);
    } catch (error) {
      throw new UnexpectedJson((error as Error).message);
    }
    this.#onHeader(this.#header);
  }

  #knownHeader(): SnapshotHeader {
    if (this.#header === undefined) throw new UnexpectedJson('it has no header.');
    return this.#header;
  }

  async #readNodes(): Promise<void> {
    const { nodeCount, edgeCount, node, nodeTypes: types } = this.#knownHeader();
    const nodeTypes = new Uint8Array(nodeCount);
    const nodeNames = new Uint32Array(nodeCount);
    const nodeIds = new Uint32Array(nodeCount);
    const nodeSizes = new Uint32Array(nodeCount);
    const hugeSizes = new Map<number, number>();
    const firstEdge = new Uint32Array(nodeCount + 1);
    let at = 0;
    let edges = 0;
    await this.#eachBatch(node.fields, (batch, count) => {
      if (at + count / node.fields > nodeCount) throw new UnexpectedJson('it has too many nodes.');
      for (let i = 0; i < count; i += node.fields) {
        const type = batch[i + node.type] as number;
        const size = batch[i + node.size] as number;
        if (type >= types.length) throw new UnexpectedJson(`its node ${at} has an unknown type.`);
        nodeTypes[at] = type;
        nodeNames[at] = batch[i + node.name] as number;
        nodeIds[at] = batch[i + node.id] as number;
        if (size > MOST_32_BITS) hugeSizes.set(at, size);
        else nodeSizes[at] = size;
        firstEdge[at] = edges;
        edges += batch[i + node.edgeCount] as number;
        at++;
      }
    });
    if (at !== nodeCount || edges !== edgeCount) {
      throw new UnexpectedJson(
        `it promises ${nodeCount} nodes with ${edgeCount} edges, and has ${at} with ${edges}.`,
      );
    }
    firstEdge[nodeCount] = edges;
    this.#nodes = { nodeTypes, nodeNames, nodeIds, nodeSizes, hugeSizes, firstEdge };
  }

  async #readEdges(): Promise<void> {
    const { nodeCount, edgeCount, node, edge, edgeTypes: types } = this.#knownHeader();
    const edgeTypes = new Uint8Array(edgeCount);
    const edgeNames = new Uint32Array(edgeCount);
    const targets = new Uint32Array(edgeCount);
    let at = 0;
    await this.#eachBatch(edge.fields, (batch, count) => {
      if (at + count / edge.fields > edgeCount) throw new UnexpectedJson('it has too many edges.');
      for (let i = 0; i < count; i += edge.fields) {
        const type = batch[i + edge.type] as number;
        const target = (batch[i + edge.target] as number) / node.fields;
        if (type >= types.length || !Number.isInteger(target) || target >= nodeCount) {
          throw new UnexpectedJson(`its edge ${at} has an unknown type, or leads to no node.`);
        }
        edgeTypes[at] = type;
        edgeNames[at] = batch[i + edge.nameOrIndex] as number;
        targets[at] = target;
        at++;
      }
    });
    if (at !== edgeCount) {
      throw new UnexpectedJson(`it promises ${edgeCount} edges, and has ${at}.`);
    }
    this.#edges = { edgeTypes, edgeNames, targets };
  }

  async #readLocations(): Promise<void> {
    const { node, location, nodeCount } = this.#knownHeader();
    const unsigned = (): GrowingColumn<Uint32Array> =>
      new GrowingColumn((length) => new Uint32Array(length));
    const signed = (): GrowingColumn<Int32Array> =>
      new GrowingColumn((length) => new Int32Array(length));
    const [nodes, scripts, lines, columns] = [unsigned(), unsigned(), signed(), signed()];
    const add = (batch: Float64Array, count: number): void => {
      for (let i = 0; i < count; i += location.fields) {
        const index = (batch[i + location.node] as number) / node.fields;
        if (index < 0 || index >= nodeCount)
          throw new UnexpectedJson('one of its locations is of no node.');
        nodes.push(index);
        scripts.push(batch[i + location.script] as number);
        lines.push(batch[i + location.line] as number);
        columns.push(batch[i + location.column] as number);
      }
    };
    await this.#eachBatch(location.fields, add, true);
    this.#locations = {
      nodes: nodes.finish(),
      scripts: scripts.finish(),
      lines: lines.finish(),
      columns: columns.finish(),
    };
  }

  async #readStrings(): Promise<void> {
    const starts = new GrowingColumn((length) => new Float64Array(length));
    const batch = new Float64Array(BATCH_RECORDS);
    this.#reader.enterArray();
    for (;;) {
      const count = this.#reader.readStringStarts(batch);
      for (let i = 0; i < count; i++) starts.push(batch[i] as number);
      if (count < batch.length) break;
      await setImmediate();
    }
    starts.push(this.#reader.position);
    this.#stringStarts = starts.finish();
  }

  /** Calls `onBatch` with whole records of `fields` numbers until the array ends. */
  async #eachBatch(
    fields: number,
    onBatch: (batch: Float64Array, count: number) => void,
    signed = false,
  ): Promise<void> {
    const batch = new Float64Array(fields * BATCH_RECORDS);
    this.#reader.enterArray();
    for (;;) {
      const count = this.#reader.readNumbers(batch, signed);
      if (count % fields !== 0) throw new UnexpectedJson('one of its records is incomplete.');
      onBatch(batch, count);
      if (count < batch.length) return;
      await setImmediate();
    }
  }
}
