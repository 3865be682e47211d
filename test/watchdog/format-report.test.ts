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
  sites: [
    { ...site, depth: 0, count: 37 },
    { ...handler, depth: 1, count: 30 },
  ],
  scope: 'GET /orders/:id',
  scopes: [{ scope: 'GET /orders/:id', count: 37 }],
  unlisted: { stacks: 0, scopes: 0 },
  call: 'lease',
  count: 37,
  ageMillis: 372_000,
  firstSeenMillis: 360_000,
  lastSeenMillis: 2_000,
  lastTouch: { hint: 'query sent', agoMillis: 3_100 },
  state: { borrowed: 10, max: 10, pending: 14, available: 0 },
  evidence: { generation: 2, v8: 'collected' },
  fix: 'hold it with `await using`',
  signature: '5f3a91c2',
};

test('the report gives the verdict, then the acquiring line, the state, the evidence and the fix', () => {
  expect(formatReport([orphaned])).toBe(
    [
      'LEAK  1 leak, 37 lost loans',
      '',
      'orphaned  pool "pg"  certain ×37  (oldest 6m12s)',
      '  its scope has ended and it was never released: GET /orders/:id',
      '  acquired at  src/orders.ts:88:21  checkout',
      '               src/http.ts:41:9 ×30',
      '  last touch   "query sent" 3.1s ago',
      '  pool         10/10 out, 14 waiting',
      '  evidence     simulated: reference count 0 at the end of its owner, generation 2; V8: its handle was collected',
      '  fix          hold it with `await using`',
      '  seen         first 6m0s ago, last 2.0s ago, taken by lease()',
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

test('the figures of a part of a component begin with its name', () => {
  const component = { ...orphaned.component, part: 'acme' };
  expect(formatReport([{ ...orphaned, component }])).toContain(
    '  pool         "acme": 10/10 out, 14 waiting',
  );
});

test('a leak without a line says that the next loans have their stacks taken', () => {
  const { site: _site, ...siteless } = orphaned;
  expect(formatReport([{ ...siteless, stack: [], sites: [] }])).toContain(
    'acquired at  unknown: no stack was taken; those of the next loans of this component are, unless the level is `counters`',
  );
});

test('a growth of scopes, which have no line, promises none', () => {
  const { site: _site, ...siteless } = orphaned;
  const growing = { ...siteless, rule: 'growth', members: 'scope', stack: [], sites: [] } as const;
  const text = formatReport([growing]);
  expect(text).toContain('latest at    unknown: a scope is known by its name only');
  expect(text).not.toContain('no stack was taken');
});

test('a component that is no pool has its figures printed, without those that say nothing', () => {
  const report = {
    ...orphaned,
    component: { kind: 'cache', name: 'users' },
    state: { size: 3, hits: 9, evictions: 0, loadMillis: 1.23456, max: Number.POSITIVE_INFINITY },
  };
  expect(formatReport([report])).toContain('  cache        size 3, hits 9, loadMillis 1.23\n');
});

test('a growth has the line of its latest object without a count, and nothing of a handle', () => {
  const growing = {
    ...orphaned,
    rule: 'growth',
    members: 'entry',
    count: 1_000,
    sites: [{ ...site, depth: 0, count: 1 }],
    evidence: { v8: 'no handle' },
  } as const;
  const lines = formatReport([growing]).split('\n');
  expect(lines[0]).toBe('LEAK  1 leak');
  expect(lines).toContain('  latest at    src/orders.ts:88:21  checkout');
  expect(lines).toContain('  evidence     simulated: live objects rise over full collections');
});

/** Leaks of as many functions. */
const leaksOf = (count: number): LeakReport[] =>
  Array.from({ length: count }, (_, i) => ({ ...orphaned, signature: `${i}` }));

test('leaks beyond the maximum are one line each', () => {
  const text = formatReport(leaksOf(12), { maxLeaks: 2, maxLines: 100 });
  expect(text.match(/acquired at/g)).toHaveLength(2);
  expect(text).toContain('LEAK  12 leaks, 444 lost loans');
  const line =
    'orphaned  pool "pg"  certain ×37  src/orders.ts:88:21  checkout  in GET /orders/:id';
  expect(text.split('\n').slice(-11)).toEqual(['', ...Array.from({ length: 10 }, () => line)]);
});

test.each([1, 2, 3, 10, 11, 12, 13, 30, 1_000])(
  'a report of %i leaks has at most 25 lines, the most that fit, and counts the others',
  (count) => {
    const lines = formatReport(leaksOf(count)).split('\n');
    expect(lines.length).toBeLessThanOrEqual(25);
    expect(lines.filter((line) => line.includes('acquired at')).length).toBeGreaterThan(0);
    const told = lines.filter((line) => line.startsWith('orphaned')).length;
    const hidden = Number(/^… and (\d+) more$/.exec(lines.at(-1) ?? '')?.[1] ?? 0);
    expect(told + hidden).toBe(count);
    if (hidden > 0) expect(lines).toHaveLength(25);
  },
);

test.each([1, 2, 3, 40])('a report of %i leaks keeps to its lines, and uses them', (count) => {
  const leaks = leaksOf(count);
  const whole = formatReport(leaks, { maxLeaks: count, maxLines: 1_000 }).split('\n');
  for (let maxLines = 1; maxLines <= whole.length; maxLines++) {
    const lines = formatReport(leaks, { maxLeaks: count, maxLines }).split('\n');
    expect(lines.length).toBeLessThanOrEqual(maxLines);
    expect(lines[0]).toBe(whole[0]);
    const told = lines.filter((line) => line.startsWith('orphaned')).length;
    const hidden = Number(/^… and (\d+) more$/.exec(lines.at(-1) ?? '')?.[1] ?? 0);
    if (maxLines > 1) expect(told + hidden).toBe(count);
  }
  const { length } = whole;
  expect(formatReport(leaks, { maxLeaks: count, maxLines: length }).split('\n')).toEqual(whole);
});

test('reports of one signature are one leak, with the loans of each certainty counted', () => {
  const other = { ...site, line: 99 };
  const text = formatReport([
    {
      ...orphaned,
      certainty: 'probable',
      count: 3,
      ageMillis: 900_000,
      site: other,
      sites: [{ ...other, depth: 0, count: 3 }],
      scopes: [
        { scope: 'GET /orders/:id', count: 2 },
        { scope: 'POST /orders', count: 1 },
      ],
      unlisted: { stacks: 0, scopes: 7 },
    },
    orphaned,
  ]);
  expect(text).toContain('LEAK  1 leak, 40 lost loans');
  expect(text).toContain('orphaned  pool "pg"  certain ×37, probable ×3  (oldest 15m0s)');
  expect(text).toContain(
    [
      '  acquired at  src/orders.ts:88:21  checkout ×37',
      '               src/orders.ts:99:21  checkout ×3',
    ].join('\n'),
  );
  expect(text).toContain('  in scopes    GET /orders/:id ×39, POST /orders ×1, others ×7');
});

test('two lines of one signature and certainty have one count', () => {
  const other: LeakReport = { ...orphaned, site: handler, count: 3 };
  const [, , head] = formatReport([orphaned, other]).split('\n');
  expect(head).toBe('orphaned  pool "pg"  certain ×40  (oldest 6m12s)');
});

test('the scopes with the most loans come first, and four of them have their names', () => {
  const scopes = [1, 2, 9, 5, 20].map((count) => ({ scope: `scope ${count}`, count }));
  expect(formatReport([{ ...orphaned, scopes }])).toContain(
    '  in scopes    scope 20 ×20, scope 9 ×9, scope 5 ×5, scope 2 ×2, others ×1',
  );
});

test('a leak that was seen once has one time', () => {
  const text = formatReport([{ ...orphaned, firstSeenMillis: 60_000, lastSeenMillis: 60_000 }]);
  expect(text).toContain('  seen         1m0s ago, taken by lease()');
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
