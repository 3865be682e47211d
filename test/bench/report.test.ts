/** The report of the benches: which promises count as kept, and how a missed one is marked. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Group } from '../../bench/compare.js';
import { asMarkdown, asText, missed, type ReportSection, withReport } from '../../bench/report.js';
import {
  asMultipleOf,
  atLeast,
  atMost,
  atMostFigure,
  beside,
  fastest,
  gains,
  type Row,
} from '../../bench/row.js';

const times: Group = {
  title: 'One loan',
  unit: 'ns',
  figures: new Map([
    ['floor', 50],
    ['tenure lease', 60],
    ['slow-pool', 600],
    ['slower-pool', 1_200],
  ]),
};

function section(rows: readonly Row[], skipped: readonly string[] = []): ReportSection {
  return { title: 'Pool', rows, skipped };
}

test('a maximum is kept up to its value, and a minimum from its value on', () => {
  expect(atMost(1.2, times, 'tenure lease', 'floor')).toMatchObject({ result: 1.2, kept: true });
  expect(atMost(1.1, times, 'tenure lease', 'floor').kept).toBe(false);
  expect(atLeast(10, times, 'tenure lease', 'slow-pool')).toMatchObject({ result: 10, kept: true });
  expect(atLeast(11, times, 'tenure lease', 'slow-pool').kept).toBe(false);
  expect(atMostFigure(60, times, 'tenure lease')).toMatchObject({ result: 60, kept: true });
  expect(atMostFigure(59, times, 'tenure lease').kept).toBe(false);
});

test('a gain counts in points, and may miss its promise by the noise', () => {
  const ratios = {
    title: 'zipf',
    unit: '%',
    figures: new Map([
      ['s3', 46],
      ['lru', 36],
    ]),
  } as const;
  expect(gains(10.1, 0.15, ratios, 's3', 'lru')).toMatchObject({ result: 10, kept: true });
  expect(gains(10.2, 0.15, ratios, 's3', 'lru').kept).toBe(false);
});

test('a row without a promise keeps none', () => {
  const [row] = beside(times, 'tenure lease', ['slow-pool']);
  expect(row).toMatchObject({ comparison: 'speed-up', result: 10 });
  expect(row).not.toHaveProperty('kept');
  expect(asMultipleOf(times, 'slow-pool', ['floor'])[0]?.result).toBe(12);
});

test('the best peer is the one that takes least', () => {
  expect(fastest(times, ['slower-pool', 'slow-pool'])).toBe('slow-pool');
});

test('a contender that was not measured is named', () => {
  expect(() => atMost(1, times, 'tenure lease', 'tarn')).toThrow("'One loan' measures no 'tarn'");
});

test('the text has one line a row, and marks what is missed and what was skipped', () => {
  const rows = [
    atMost(1.5, times, 'tenure lease', 'floor'),
    atLeast(30, times, 'tenure lease', 'slow-pool'),
    ...beside(times, 'tenure lease', ['slower-pool']),
  ];
  const lines = asText([section(rows, ['bench/x.ts: python3.11 is not on the path'])]).split('\n');
  expect(lines.map((line) => line.replace(/ {2,}/g, '|'))).toEqual([
    'what|tenure|beside|result|promise|kept',
    'One loan|lease|60.0 ns|floor|50.0 ns|1.20× of it|≤ 1.5×|yes',
    'One loan|lease|60.0 ns|slow-pool|600 ns|10.0× as fast|≥ 30×|MISSED',
    'One loan|lease|60.0 ns|slower-pool|1,200 ns|20.0× as fast',
    'SKIPPED: bench/x.ts: python3.11 is not on the path',
    '1 of 2 promises are kept.',
  ]);
  expect(missed([section(rows)])).toEqual([rows[1]]);
});

test('the Markdown has a table for each section', () => {
  const text = asMarkdown([
    section([atLeast(30, times, 'tenure lease', 'slow-pool')]),
    { title: 'Heap', rows: [], skipped: ['bench/x.ts: why'] },
  ]);
  expect(text.split('\n')).toEqual([
    '0 of 1 promises are kept.',
    '',
    '### Pool',
    '',
    '| what | tenure |  | beside |  | result | promise | kept |',
    '|---|---|---:|---|---:|---:|---:|---|',
    '| One loan | lease | 60.0 ns | slow-pool | 600 ns | 10.0× as fast | ≥ 30× | **missed** |',
    '',
    '### Heap',
    '',
    '**Skipped:** bench/x.ts: why',
  ]);
});

test('only the part between the markers of the document is replaced', () => {
  const document = readFileSync(new URL('../../docs/benchmarks.md', import.meta.url), 'utf8');
  const once = withReport(document, 'the report');
  expect(once).toContain('<!-- bench:start -->\n\nthe report\n\n<!-- bench:end -->');
  expect(withReport(once, 'the report')).toBe(once);
  expect(() => withReport('no markers', '')).toThrow('lacks');
});
