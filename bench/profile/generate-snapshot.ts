/**
 * Writes a heap snapshot as V8 writes it, of any size and without the memory that V8 needs for it: orders in an array, each
 * with four parts, a hidden class that all share, and links to other orders.
 *
 * ```
 *   (root) ──shortcut──▶ global ──▶ Map ──▶ (array) ──▶ Order ──▶ lines (array), customer Object, total (number), id (string)
 *                                                         └─────▶ an earlier Order, for every third
 * ```
 *
 * Snapshots of services have 63 bytes of file a node, and so has this one.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import {
  EDGE_FIELDS,
  EDGE_TYPES,
  NODE_FIELDS,
  NODE_TYPES,
} from '../../test/node/profile/written-snapshot.js';

/** Nodes of one order, with its parts. */
const NODES_PER_ORDER = 5;
/** Nodes in front of the orders: root, global, map, array, two hidden classes. */
const NODES_BEFORE = 6;

/** Strings in front of the others, so that their numbers are as long as in the file of a service. */
const FILLERS = Array.from({ length: 100_000 }, (_, i) => `text ${i}`);
const STRINGS = [
  ...FILLERS,
  '',
  'global',
  'Map',
  'Order',
  'Object',
  'system / Map',
  'orders',
  'table',
  'map',
  'lines',
  'customer',
  'total',
  'id',
  'previous',
  'owner',
  'order-1',
];

const type = indexOf(NODE_TYPES);
const edgeType = indexOf(EDGE_TYPES);
const text = indexOf(STRINGS);

function indexOf(list: readonly string[]): (name: string) => number {
  const indices = new Map(list.map((name, index) => [name, index]));
  return (name) => indices.get(name) as number;
}

/** Bytes that are written at once. */
const PIECE = 1 << 20;

/** Writes a snapshot with about `nodes` nodes. Returns how many it has. */
export function generateSnapshot(file: string, nodes: number): number {
  const orders = Math.max(1, Math.round((nodes - NODES_BEFORE) / NODES_PER_ORDER));
  const output = openSync(file, 'w');
  let piece = '';
  const write = (words: string): void => {
    piece += words;
    if (piece.length < PIECE) return;
    writeSync(output, piece);
    piece = '';
  };
  const nodeCount = NODES_BEFORE + orders * NODES_PER_ORDER;
  let comma = '';
  const node = (kind: string, name: string, size: number, edges: number): void => {
    id += 2;
    write(`${comma}${type(kind)},${text(name)},${id},${size},${edges},0\n`);
    comma = ',';
  };
  const edge = (kind: string, name: string | number, to: number): void => {
    const label = typeof name === 'string' ? text(name) : name;
    write(`${comma}${edgeType(kind)},${label},${to * NODE_FIELDS.length}\n`);
    comma = ',';
  };
  let id = 1;
  const isLinked = (order: number): boolean => order % 3 === 2;
  const edgesOf = (order: number): number => (isLinked(order) ? 6 : 5);
  const links = Math.floor((orders + 0) / 3);
  const edgeCount = 1 + 1 + 1 + orders + orders * (5 + 2 + 2 + 1) + links;
  write(
    `{"snapshot":{"meta":${JSON.stringify(META)},"node_count":${nodeCount},"edge_count":${edgeCount},"trace_function_count":0},\n"nodes":[`,
  );
  node('synthetic', '', 0, 1);
  node('object', 'global', 40, 1);
  node('object', 'Map', 32, 1);
  node('array', '', 16 + 8 * orders, orders);
  node('hidden', 'system / Map', 80, 0);
  node('hidden', 'system / Map', 80, 0);
  for (let order = 0; order < orders; order++) {
    node('object', 'Order', 56, edgesOf(order));
    node('array', '', 32, 2);
    node('object', 'Object', 28, 2);
    node('number', '', 12, 1);
    node('string', 'order-1', 24, 0);
  }
  write('],\n"edges":[');
  comma = '';
  edge('shortcut', 'global', 1);
  edge('property', 'orders', 2);
  edge('internal', 'table', 3);
  const first = (order: number): number => NODES_BEFORE + order * NODES_PER_ORDER;
  for (let order = 0; order < orders; order++)
    edge('internal', order % 2 === 0 ? 'map' : 'table', first(order));
  for (let order = 0; order < orders; order++) {
    const at = first(order);
    edge('internal', 'map', 4);
    edge('property', 'lines', at + 1);
    edge('property', 'customer', at + 2);
    edge('property', 'total', at + 3);
    edge('property', 'id', at + 4);
    if (isLinked(order)) edge('property', 'previous', first((order * 7919) % order));
    edge('element', 0, at + 2);
    edge('element', 1, at + 4);
    edge('internal', 'map', 5);
    edge('property', 'owner', at);
    edge('internal', 'map', 4);
  }
  write(
    `],\n"trace_function_infos":[],\n"trace_tree":[],\n"samples":[],\n"locations":[${2 * NODE_FIELDS.length},7,2,4],\n"strings":[`,
  );
  write(STRINGS.map((string) => JSON.stringify(string)).join(',\n'));
  writeSync(output, `${piece}]}\n`);
  closeSync(output);
  return nodeCount;
}

const META = {
  node_fields: NODE_FIELDS,
  node_types: [NODE_TYPES, 'string', 'number', 'number', 'number', 'number'],
  edge_fields: EDGE_FIELDS,
  edge_types: [EDGE_TYPES, 'string_or_number', 'node'],
  location_fields: ['object_index', 'script_id', 'line', 'column'],
};
