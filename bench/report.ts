/** The report: one table of all rows, for the terminal and for docs/benchmarks.md. */
import type { Unit } from './compare.js';
import type { Bound, Figure, Row } from './row.js';

/** The rows of a section, in the order of the benches. */
export interface ReportSection {
  readonly title: string;
  readonly rows: readonly Row[];
  /** Benches that could not run on this machine, and why. */
  readonly skipped: readonly string[];
}

const HEAD = ['what', 'tenure', '', 'beside', '', 'result', 'promise', 'kept'] as const;

/** Columns of figures, which are aligned to the right. */
const FIGURE_COLUMNS: readonly number[] = [2, 4, 5, 6];

/** All sections as one table with aligned columns. */
export function asText(sections: readonly ReportSection[]): string {
  const rows = sections.flatMap(({ rows }) => rows.map((row) => cells(row, 'MISSED')));
  const table = [[...HEAD], ...rows];
  const widths = HEAD.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const lines = table.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return FIGURE_COLUMNS.includes(column) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
  const skipped = sections.flatMap((section) => section.skipped.map((why) => `SKIPPED: ${why}`));
  return [...lines, ...skipped, summary(sections)].join('\n');
}

/** A Markdown table for each section, under its heading. */
export function asMarkdown(sections: readonly ReportSection[]): string {
  const parts = sections.map(({ title, rows, skipped }) => {
    const table = [
      `| ${HEAD.join(' | ')} |`,
      `|${HEAD.map((_, column) => (FIGURE_COLUMNS.includes(column) ? '---:' : '---')).join('|')}|`,
      ...rows.map((row) => `| ${cells(row, '**missed**').join(' | ')} |`),
    ];
    return [
      `### ${title}`,
      ...(rows.length === 0 ? [] : [table.join('\n')]),
      ...skipped.map((why) => `**Skipped:** ${why}`),
    ].join('\n\n');
  });
  return [summary(sections), ...parts].join('\n\n');
}

/** Rows whose promise is not kept. */
export function missed(sections: readonly ReportSection[]): readonly Row[] {
  return sections.flatMap(({ rows }) => rows.filter(({ kept }) => kept === false));
}

const START = '<!-- bench:start -->';
const END = '<!-- bench:end -->';

/** The document with the part between the markers replaced. */
export function withReport(document: string, report: string): string {
  const start = document.indexOf(START);
  const end = document.indexOf(END);
  if (start < 0 || end < start) throw new Error(`the document lacks ${START} or ${END}`);
  return `${document.slice(0, start + START.length)}\n\n${report}\n\n${document.slice(end)}`;
}

function summary(sections: readonly ReportSection[]): string {
  const promised = sections.flatMap(({ rows }) => rows.filter(({ kept }) => kept !== undefined));
  const kept = promised.filter((row) => row.kept).length;
  return `${kept} of ${promised.length} promises are kept.`;
}

function cells(row: Row, mark: string): string[] {
  const { measured, unit, ours, peer, promise, kept } = row;
  return [
    measured,
    ours.name.replace(/^tenure (?=.)/, ''),
    amount(ours, unit),
    peer?.name ?? '',
    peer === undefined ? '' : amount(peer, unit),
    result(row),
    promise === undefined ? '' : bound(promise, row),
    kept === undefined ? '' : kept ? 'yes' : mark,
  ];
}

function result({ comparison, result, unit }: Row): string {
  switch (comparison) {
    case 'cost':
      return `${digits(result)}× of it`;
    case 'speed-up':
      return `${digits(result)}× as ${unit === 'B' ? 'small' : 'fast'}`;
    case 'gain':
      return `${result < 0 ? '−' : '+'}${Math.abs(result).toFixed(1)} points`;
    case 'excess':
      return `${result < 0 ? '−' : '+'}${digits(Math.abs(result))} ${unit}`;
    case 'figure':
      return `${digits(result)} ${unit}`;
  }
}

function bound({ kind, value }: Bound, { comparison, unit }: Row): string {
  const sign = kind === 'minimum' ? '≥' : '≤';
  switch (comparison) {
    case 'cost':
    case 'speed-up':
      return `${sign} ${value}×`;
    case 'gain':
      return `${sign} ${value} points`;
    case 'excess':
      return `${sign} +${value.toLocaleString('en')} ${unit}`;
    case 'figure':
      return `${sign} ${value} ${unit}`;
  }
}

function amount({ value }: Figure, unit: Unit): string {
  return unit === '×' ? `${digits(value)}×` : `${digits(value)} ${unit}`;
}

/** Three digits, more for what is larger. */
function digits(value: number): string {
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString('en');
  return value.toFixed(size >= 10 ? 1 : 2);
}
