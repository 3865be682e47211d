/** Prints a census as Heapy prints a partition. */
import { fixed } from '../../core/fixed.js';
import { plural } from '../../core/plural.js';
import type { CensusRow, CensusTotal } from './partition.js';

/** Rows that Heapy prints before it asks. */
export const DEFAULT_ROWS = 10;

/**
 * Gives the table:
 *
 * ```text
 * Partition of a set of 3 objects. Total size = 96 bytes.
 *  Index  Count   %     Size   % Cumulative  % Kind
 *      0      2  67       64  67        64  67 entry
 *      1      1  33       32  33        96 100 cache
 * Source: exact (simulated)
 * ```
 */
export function formatCensus(
  rows: readonly CensusRow[],
  total: CensusTotal,
  heading: string,
  source: string,
  maxRows: number,
): string {
  const { count, size } = total;
  const shown = rows.slice(0, maxRows);
  const lines = [
    `Partition of a set of ${plural(count, 'object')}. Total size = ${size} bytes.`,
    ` Index  Count   %     Size   % Cumulative  % ${heading}`,
    ...shown.map((row, i) =>
      [
        String(i).padStart(6),
        String(row.count).padStart(6),
        percent(row.count, count),
        String(row.size).padStart(8),
        percent(row.size, size),
        String(row.cumulative).padStart(9),
        percent(row.cumulative, size),
        row.label,
      ].join(' '),
    ),
  ];
  const more = rows.length - shown.length;
  if (more > 0) lines.push(`<${plural(more, 'more row')}>`);
  lines.push(`Source: ${source}`);
  return lines.join('\n');
}

function percent(part: number, whole: number): string {
  return fixed(whole === 0 ? 0 : (100 * part) / whole, 0).padStart(3);
}
