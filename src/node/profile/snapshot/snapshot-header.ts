/**
 * The header of a heap snapshot: how many nodes and edges follow, and in which order their fields stand. The order differs
 * between versions of V8, and Node 20 has a field `trace_node_id` that others lack.
 */

/** The header, checked. */
export interface SnapshotHeader {
  readonly nodeCount: number;
  readonly edgeCount: number;
  readonly node: {
    readonly fields: number;
    readonly type: number;
    readonly name: number;
    readonly id: number;
    readonly size: number;
    readonly edgeCount: number;
  };
  readonly edge: {
    readonly fields: number;
    readonly type: number;
    readonly nameOrIndex: number;
    readonly target: number;
  };
  readonly location: {
    readonly fields: number;
    readonly node: number;
    readonly script: number;
    readonly line: number;
    readonly column: number;
  };
  readonly nodeTypes: readonly string[];
  readonly edgeTypes: readonly string[];
}

/** Reads the header from the text of the key `snapshot`. Throws an `Error` with a sentence if it is none. */
export function parseHeader(text: string): SnapshotHeader {
  const { meta, node_count, edge_count } = asRecord(JSON.parse(text));
  const description = asRecord(meta);
  const nodeFields = names(description['node_fields'], 'node_fields');
  const edgeFields = names(description['edge_fields'], 'edge_fields');
  const locationFields = names(
    description['location_fields'] ?? LOCATION_FIELDS,
    'location_fields',
  );
  const field = fieldOf(nodeFields, 'node_fields');
  const edgeField = fieldOf(edgeFields, 'edge_fields');
  const locationField = fieldOf(locationFields, 'location_fields');
  return {
    nodeCount: countOf(node_count, 'node_count', 1),
    edgeCount: countOf(edge_count, 'edge_count', 0),
    node: {
      fields: nodeFields.length,
      type: field('type'),
      name: field('name'),
      id: field('id'),
      size: field('self_size'),
      edgeCount: field('edge_count'),
    },
    edge: {
      fields: edgeFields.length,
      type: edgeField('type'),
      nameOrIndex: edgeField('name_or_index'),
      target: edgeField('to_node'),
    },
    location: {
      fields: locationFields.length,
      node: locationField('object_index'),
      script: locationField('script_id'),
      line: locationField('line'),
      column: locationField('column'),
    },
    nodeTypes: names(asArray(description['node_types'], 'node_types')[field('type')], 'node_types'),
    edgeTypes: names(
      asArray(description['edge_types'], 'edge_types')[edgeField('type')],
      'edge_types',
    ),
  };
}

/** Fields of a location in versions of V8 that do not name them. */
const LOCATION_FIELDS = ['object_index', 'script_id', 'line', 'column'];

/** Columns index nodes and edges with 32 bits. */
const MOST = 2 ** 32 - 2;

function countOf(value: unknown, name: string, least: number): number {
  if (!Number.isInteger(value) || (value as number) < least || (value as number) > MOST) {
    throw new Error(`its ${name} is ${String(value)}.`);
  }
  return value as number;
}

function fieldOf(fields: readonly string[], list: string): (name: string) => number {
  return (name) => {
    const index = fields.indexOf(name);
    if (index < 0) throw new Error(`its ${list} lack \`${name}\`.`);
    return index;
  };
}

function names(value: unknown, name: string): readonly string[] {
  const list = asArray(value, name);
  if (list.length === 0 || list.length > 256 || list.some((item) => typeof item !== 'string')) {
    throw new Error(`its ${name} are no list of names.`);
  }
  return list as string[];
}

function asArray(value: unknown, name: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error(`its ${name} are missing.`);
  return value;
}

function asRecord(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw new Error('its header is no object.');
  return value as Record<string, unknown>;
}
