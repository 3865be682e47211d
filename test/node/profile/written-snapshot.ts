/** Heap snapshots that tests write by hand, in the form of any version of V8. */
import { writeFileSync } from 'node:fs';

export const NODE_TYPES = [
  'hidden',
  'array',
  'string',
  'object',
  'code',
  'closure',
  'regexp',
  'number',
  'native',
  'synthetic',
] as const;
export const EDGE_TYPES = [
  'context',
  'element',
  'property',
  'internal',
  'hidden',
  'shortcut',
  'weak',
] as const;

export interface WrittenEdge {
  readonly type?: (typeof EDGE_TYPES)[number];
  readonly name?: string | number;
  readonly to: number;
}

export interface WrittenNode {
  readonly type?: (typeof NODE_TYPES)[number];
  readonly name?: string;
  readonly size?: number;
  readonly id?: number;
  readonly edges?: readonly WrittenEdge[];
}

export interface WrittenForm {
  /** Order of the fields of a node. */
  readonly nodeFields?: readonly string[];
  readonly edgeFields?: readonly string[];
  /** What is between two numbers. */
  readonly separator?: string;
  /** Script, line and column by node, from 0. */
  readonly locations?: readonly (readonly [
    node: number,
    script: number,
    line: number,
    column: number,
  ])[];
  readonly nodeCount?: number;
  readonly edgeCount?: number;
}

/** Fields in the order of Node 22 to 26. */
export const NODE_FIELDS: readonly string[] = [
  'type',
  'name',
  'id',
  'self_size',
  'edge_count',
  'detachedness',
];
export const EDGE_FIELDS: readonly string[] = ['type', 'name_or_index', 'to_node'];

/** Gives the text of a snapshot. Node 0 is the root. */
export function snapshotText(nodes: readonly WrittenNode[], form: WrittenForm = {}): string {
  const {
    nodeFields = NODE_FIELDS,
    edgeFields = EDGE_FIELDS,
    separator = ',',
    locations = [],
  } = form;
  const strings: string[] = [];
  const text = (string: string): number => {
    const known = strings.indexOf(string);
    return known >= 0 ? known : strings.push(string) - 1;
  };
  const edges = nodes.flatMap((node) => node.edges ?? []);
  const nodeNumbers = nodes.flatMap((node, i) => {
    const fields: Record<string, number> = {
      type: NODE_TYPES.indexOf(node.type ?? 'object'),
      name: text(node.name ?? 'Object'),
      id: node.id ?? 2 * i + 1,
      self_size: node.size ?? 16,
      edge_count: node.edges?.length ?? 0,
    };
    return nodeFields.map((field) => fields[field] ?? 0);
  });
  const edgeNumbers = edges.flatMap(({ type = 'property', name = 'it', to }) => {
    const fields: Record<string, number> = {
      type: EDGE_TYPES.indexOf(type),
      name_or_index: typeof name === 'number' ? name : text(name),
      to_node: to * nodeFields.length,
    };
    return edgeFields.map((field) => fields[field] ?? 0);
  });
  const meta = {
    node_fields: nodeFields,
    node_types: nodeFields.map((field) => (field === 'type' ? NODE_TYPES : 'number')),
    edge_fields: edgeFields,
    edge_types: edgeFields.map((field) => (field === 'type' ? EDGE_TYPES : 'number')),
    trace_function_info_fields: [],
    location_fields: ['object_index', 'script_id', 'line', 'column'],
  };
  const header = {
    meta,
    node_count: form.nodeCount ?? nodes.length,
    edge_count: form.edgeCount ?? edges.length,
    trace_function_count: 0,
  };
  const places = locations.flatMap(([node, ...rest]) => [node * nodeFields.length, ...rest]);
  return `{"snapshot":${JSON.stringify(header)},
"nodes":[${nodeNumbers.join(separator)}],
"edges":[${edgeNumbers.join(separator)}],
"trace_function_infos":[],
"trace_tree":[],
"samples":[],
"locations":[${places.join(separator)}],
"strings":[${strings.map((string) => JSON.stringify(string)).join(',\n')}]}
`;
}

export function writeSnapshot(
  file: string,
  nodes: readonly WrittenNode[],
  form?: WrittenForm,
): string {
  writeFileSync(file, snapshotText(nodes, form));
  return file;
}
