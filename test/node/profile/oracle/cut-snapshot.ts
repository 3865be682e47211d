/**
 * Cuts a heap snapshot of V8 down to a part that is small enough to keep in the repository. The part is a snapshot of the same form:
 * fields, types and numbers of each node that stays are V8's own. References to nodes that are cut off are left out.
 */
import { readFileSync, writeFileSync } from 'node:fs';

/** The parts of the file that are cut. */
interface SnapshotFile {
  readonly snapshot: {
    readonly meta: {
      readonly node_fields: readonly string[];
      readonly edge_fields: readonly string[];
      readonly edge_types: readonly (readonly string[] | string)[];
      readonly location_fields: readonly string[];
    };
    node_count: number;
    edge_count: number;
  };
  nodes: number[];
  edges: number[];
  locations: number[];
  strings: string[];
  readonly [others: string]: unknown;
}

/**
 * Writes the part of `from` to `to`: what is on the way to the nodes of `kept`, and what is near them, `size` nodes together.
 * `kept` are numbers of nodes, and must include the root, 0.
 */
export function cutSnapshot(from: string, to: string, kept: Iterable<number>, size: number): void {
  const file = JSON.parse(readFileSync(from, 'utf8')) as SnapshotFile;
  const { node_fields, edge_fields, edge_types, location_fields } = file.snapshot.meta;
  const node = (name: string): number => node_fields.indexOf(name);
  const edge = (name: string): number => edge_fields.indexOf(name);
  const rowsOf = (numbers: readonly number[], width: number): number[][] =>
    Array.from({ length: numbers.length / width }, (_, i) =>
      numbers.slice(i * width, (i + 1) * width),
    );
  const nodes = rowsOf(file.nodes, node_fields.length);
  const edges = rowsOf(file.edges, edge_fields.length);
  const edgesOf: number[][][] = [];
  let next = 0;
  for (const fields of nodes) {
    const count = fields[node('edge_count')] as number;
    edgesOf.push(edges.slice(next, next + count));
    next += count;
  }
  const targetOf = (fields: readonly number[]): number =>
    (fields[edge('to_node')] as number) / node_fields.length;

  const chosen = new Set(kept);
  for (const near of chosen) {
    for (const fields of edgesOf[near] as number[][]) {
      if (chosen.size < size) chosen.add(targetOf(fields));
    }
  }
  const order = [...chosen].sort((a, b) => a - b);
  const places = new Map(order.map((old, place) => [old, place]));

  const strings: string[] = [];
  const known = new Map<number, number>();
  const stringAt = (old: number): number => {
    const at = known.get(old) ?? strings.push(file.strings[old] as string) - 1;
    known.set(old, at);
    return at;
  };
  const isIndexed = (type: number): boolean =>
    ['element', 'hidden'].includes(edge_types[edge('type')]?.[type] as string);
  const edgesLeft = order.map((old) =>
    (edgesOf[old] as number[][])
      .filter((fields) => chosen.has(targetOf(fields)))
      .map((fields) => {
        const cut = [...fields];
        const name = edge('name_or_index');
        if (!isIndexed(fields[edge('type')] as number)) cut[name] = stringAt(cut[name] as number);
        cut[edge('to_node')] = (places.get(targetOf(fields)) as number) * node_fields.length;
        return cut;
      }),
  );
  file.nodes = order.flatMap((old, place) => {
    const cut = [...(nodes[old] as number[])];
    cut[node('name')] = stringAt(cut[node('name')] as number);
    cut[node('edge_count')] = (edgesLeft[place] as number[][]).length;
    return cut;
  });
  file.edges = edgesLeft.flat(2);
  const place = location_fields.indexOf('object_index');
  file.locations = rowsOf(file.locations, location_fields.length).flatMap((fields) => {
    const at = places.get((fields[place] as number) / node_fields.length);
    return at === undefined ? [] : fields.with(place, at * node_fields.length);
  });
  file.strings = strings;
  file.snapshot.node_count = order.length;
  file.snapshot.edge_count = file.edges.length / edge_fields.length;
  writeFileSync(to, JSON.stringify(file));
}
