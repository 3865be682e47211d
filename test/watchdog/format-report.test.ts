import { expect, test } from 'vitest';
import { formatReport, type LeakReport } from '../../src/watchdog/index.js';

const site = { functionName: 'checkout', file: 'src/orders.ts', line: 88, column: 21 };
const handler = { functionName: '', file: 'src/http.ts', line: 41, column: 9 };

const orphaned: LeakReport = {
  rule: 'orphaned',
  certainty: 'certain',
  component: { kind: 'pool', name: 'pg' },
  site,
  stack: [
    { functionName: 'Pool.wrap', file: 'node_modules/orm/pool.js', line: 3, column: 1 },
    site,
    handler,
  ],
  scope: 'GET /orders/:id',
  count: 37,
  ageMillis: 372_000,
  lastTouch: { hint: 'query sent', agoMillis: 3_100 },
  state: { borrowed: 10, max: 10, pending: 14, available: 0 },
  evidence: { generation: 2, v8: 'collected' },
  fix: 'hold it with `await using`',
  signature: '5f3a91c2',
};

test('the report gives the verdict, then the acquiring line, the state, the evidence and the fix', () => {
  expect(formatReport([orphaned])).toBe(
    [
      'LEAK  1 line, 37 lost loans',
      '',
      'orphaned  pool "pg"  certain  ×37  (oldest 6m12s)',
      '  its scope has ended and it was never released: GET /orders/:id',
      '  acquired at  src/orders.ts:88:21  checkout',
      '               src/http.ts:41:9',
      '  last touch   "query sent" 3.1s ago',
      '  pool         10/10 out, 14 waiting',
      '  evidence     simulated: reference count 0 at the end of its scope, generation 2; V8: its handle was collected',
      '  fix          hold it with `await using`',
      '  sig          5f3a91c2',
    ].join('\n'),
  );
});

test('the verdict is as sure as the surest leak', () => {
  const verdict = (certainty: LeakReport['certainty']): string =>
    formatReport([{ ...orphaned, certainty }]).split('  ')[0] as string;
  expect(verdict('certain')).toBe('LEAK');
  expect(verdict('probable')).toBe('LEAK LIKELY');
  expect(verdict('suspect')).toBe('LEAK SUSPECTED');
  expect(formatReport([])).toBe('NO LEAKS');
});

test('a leak without a line says that the next loans have their stacks taken', () => {
  const { site: _site, ...siteless } = orphaned;
  expect(formatReport([{ ...siteless, stack: [] }])).toContain(
    'acquired at  unknown: no stack was taken; the next loans of this component have theirs taken',
  );
});

test('a component that is no pool has its figures printed as they are', () => {
  const report = {
    ...orphaned,
    component: { kind: 'cache', name: 'users' },
    state: { size: 3, hits: 9 },
  };
  expect(formatReport([report])).toContain('  cache        size 3, hits 9');
});

test('leaks beyond the maximum are counted, not printed', () => {
  const text = formatReport(
    Array.from({ length: 12 }, () => orphaned),
    { maxLeaks: 2 },
  );
  expect(text.match(/acquired at/g)).toHaveLength(2);
  expect(text).toContain('LEAK  12 lines, 444 lost loans');
  expect(text).toContain('… and 10 more');
});

test('an unknown or malformed option is refused', () => {
  expect(() => formatReport([], { colours: true } as never)).toThrow('unknown option `colours`');
  expect(() => formatReport([], { maxLeaks: -1 })).toThrow(
    'formatReport: `maxLeaks` must be an integer ≥ 0, or Infinity',
  );
  expect(formatReport([orphaned], { maxLeaks: Number.POSITIVE_INFINITY })).toContain('acquired at');
});

test('colours are printed on request, and change nothing else', () => {
  const coloured = formatReport([orphaned], { colour: true });
  expect(coloured).toContain('\u001b[31mLEAK');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape codes are what is looked for
  expect(coloured.replace(/\u001b\[\d+m/g, '')).toBe(formatReport([orphaned]));
});
