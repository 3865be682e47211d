/** How a census divides its nodes into rows: Heapy's classifiers. */
import { InvalidArgumentError } from '../../core/errors.js';
import type { HeapGraph } from './heap-graph.js';

/**
 * What the nodes of one row have in common.
 *
 * - `kind`: their kind.
 * - `referrers`: the kinds of the nodes that hold them, as `byrcs` of Heapy.
 * - `site`: their line.
 * - `generation`: their generation in the collector.
 */
export type CensusBy = 'kind' | 'referrers' | 'site' | 'generation';

/** Rows of a census before they are counted: each has a label, each node has one row. */
export interface Classes {
  /** Label of each row. Grows while nodes are classified. */
  readonly labels: readonly string[];
  /** Gives the row of a node, as an index of {@link labels}. */
  of(node: number): number;
}

/** Head of the column of labels. */
export const HEADINGS: Readonly<Record<CensusBy, string>> = {
  kind: 'Kind',
  referrers: 'Referrers by Kind',
  site: 'Site',
  generation: 'Generation',
};

/** Label of a node that is alive by itself, among the kinds of referrers. */
const ROOT = '(root)';

/** Divides the nodes of a heap by what they have in common. */
export function classify(graph: HeapGraph, by: CensusBy): Classes {
  const { columns } = graph;
  switch (by) {
    case 'kind':
      return byKind(columns.kinds, (node) => columns.kindIndexOf(node));
    case 'referrers':
      return byReferrers(graph);
    case 'site': {
      const siteOf = columns.siteOf?.bind(columns);
      if (siteOf === undefined) throw lacking('site', 'pass `siteOf` to census()');
      return byLabel((node) => siteOf(node) ?? '(no site)');
    }
    case 'generation': {
      const generationOf = columns.generationOf?.bind(columns);
      if (generationOf === undefined) throw lacking('generation', 'count a simulated heap');
      return byLabel((node) => generationOf(node));
    }
  }
}

function lacking(by: CensusBy, advice: string): InvalidArgumentError {
  return new InvalidArgumentError(
    `census: this heap knows no ${by} of its nodes. To count by ${by}, ${advice}.`,
  );
}

/** Labels, each with one number. */
class LabelTable {
  readonly labels: string[] = [];
  readonly #ids = new Map<string, number>();

  id(label: string): number {
    const id = this.#ids.get(label) ?? this.labels.push(label) - 1;
    this.#ids.set(label, id);
    return id;
  }
}

function byLabel(labelOf: (node: number) => string): Classes {
  const table = new LabelTable();
  return { labels: table.labels, of: (node) => table.id(labelOf(node)) };
}

function byKind(kinds: readonly string[], kindIndexOf: (node: number) => number): Classes {
  const table = new LabelTable();
  const rows = Uint32Array.from(kinds, (kind) => table.id(kind));
  return { labels: table.labels, of: (node) => rows[kindIndexOf(node)] as number };
}

function byReferrers(graph: HeapGraph): Classes {
  const { columns } = graph;
  const { first, sources } = graph.referrers();
  const kinds = byKind(columns.kinds, (node) => columns.kindIndexOf(node));
  const roots = new Set(columns.roots);
  const table = new LabelTable();
  /** Row of each set of kinds: joining names anew for each of a million nodes takes seconds. */
  const rows = new Map<string, number>();
  return {
    labels: table.labels,
    of(node) {
      const found = new Set<number>();
      for (let i = first[node] as number; i < (first[node + 1] as number); i++) {
        found.add(kinds.of(sources[i] as number));
      }
      const isRoot = roots.has(node);
      const key = `${isRoot} ${[...found].sort((a, b) => a - b).join(' ')}`;
      const known = rows.get(key);
      if (known !== undefined) return known;
      const names = [...found].map((kind) => kinds.labels[kind] as string).sort();
      if (isRoot) names.unshift(ROOT);
      const row = table.id(names.length === 0 ? '(nothing)' : names.join(', '));
      rows.set(key, row);
      return row;
    },
  };
}
