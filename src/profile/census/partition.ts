/** Counts the nodes of a census by rows, and sorts the rows as Heapy does: the largest first. */
import type { CensusPart } from './census-part.js';
import { type CensusBy, classify } from './classify.js';

/** A row of a {@link Census}. */
export interface CensusRow {
  /** What the nodes of the row have in common: a kind, the kinds of referrers, a line, a generation. */
  readonly label: string;
  /** Number of nodes. */
  readonly count: number;
  /** Sum of their sizes, in bytes. */
  readonly size: number;
  /** Sum of the sizes of this row and the rows above it, in bytes. */
  readonly cumulative: number;
}

/** Sums over all rows of a {@link Census}. */
export interface CensusTotal {
  /** Number of nodes. */
  readonly count: number;
  /** Sum of their sizes, in bytes. */
  readonly size: number;
}

/** Gives the rows: by size, then by count, then by label. O(nodes). */
export function partition(parts: readonly CensusPart[], by: CensusBy): CensusRow[] {
  const sums = new Map<string, { count: number; size: number }>();
  for (const { graph, members } of parts) {
    const classes = classify(graph, by);
    const counts: number[] = [];
    const sizes: number[] = [];
    members.visit((node) => {
      const row = classes.of(node);
      counts[row] = (counts[row] ?? 0) + 1;
      sizes[row] = (sizes[row] ?? 0) + graph.columns.sizeOf(node);
    });
    for (const [row, label] of classes.labels.entries()) {
      const count = counts[row];
      if (count === undefined) continue;
      const sum = sums.get(label) ?? { count: 0, size: 0 };
      sums.set(label, { count: sum.count + count, size: sum.size + (sizes[row] ?? 0) });
    }
  }
  const sorted = [...sums].sort(
    ([a, x], [b, y]) => y.size - x.size || y.count - x.count || (a < b ? -1 : 1),
  );
  let cumulative = 0;
  return sorted.map(([label, { count, size }]) => {
    cumulative += size;
    return { label, count, size, cumulative };
  });
}

/** Sums all rows. */
export function totalOf(rows: readonly CensusRow[]): CensusTotal {
  let count = 0;
  for (const row of rows) count += row.count;
  return { count, size: rows.at(-1)?.cumulative ?? 0 };
}
