/** Known leaks: suppressed by signature, counted, and kept in a baseline file. */
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test, vi } from 'vitest';
import {
  formatBaseline,
  InvalidArgumentError,
  type LeakReport,
  parseBaseline,
  reportJson,
  Watchdog,
  type WatchdogOptions,
} from '../../src/watchdog/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { MinimalPool } from './minimal-pool.js';

const clock = new FakeClock();

function leaky(options: WatchdogOptions = {}) {
  const told: LeakReport[] = [];
  const watchdog = new Watchdog({
    level: 'advanced',
    graceMillis: 0,
    clock,
    onLeak: (leak) => told.push(leak),
    ...options,
  });
  const pool = new MinimalPool('db');
  pool.addResource();
  watchdog.watch(pool);
  function takeKnown() {
    return pool.lease();
  }
  function takeFresh() {
    return pool.lease();
  }
  const known = () => watchdog.scope('GET /orders/1', takeKnown);
  const fresh = () => watchdog.scope('GET /users/1', takeFresh);
  return {
    watchdog,
    pool,
    told,
    known,
    fresh,
    takeKnown,
    [Symbol.dispose]: () => watchdog[Symbol.dispose](),
  };
}

async function baselineOfKnown(): Promise<string> {
  using t = leaky();
  t.known();
  return formatBaseline(await t.watchdog.check());
}

test('a baseline names each leak once, and gives its signatures back', async () => {
  using t = leaky();
  t.known();
  t.known();
  t.fresh();
  const reports = await t.watchdog.check();
  const text = formatBaseline(reports);
  expect(parseBaseline(text)).toEqual([...new Set(reports.map((leak) => leak.signature))].sort());
  expect(text).toContain('orphaned  pool \\"db\\"');
  expect(text.split('\n')).toHaveLength(4 + 2 + 2);
});

test('a suppressed leak is neither told nor reported, and its loans are counted', async () => {
  const suppress = parseBaseline(await baselineOfKnown());
  using t = leaky({ suppress });
  const lost = [t.known(), t.known()];
  t.fresh();
  expect(await t.watchdog.check()).toMatchObject([{ scope: 'GET /users/:id', count: 1 }]);
  expect(t.told.map(({ scope }) => scope)).toEqual(['GET /users/:id']);
  expect(t.watchdog.stats()).toMatchObject({ lost: 1, suppressed: 2 });
  for (const lease of lost) lease.release();
  expect(t.watchdog.stats()).toMatchObject({ lost: 1, suppressed: 0 });
});

test('assertNoLeaks passes with suppressed leaks alone, and says how many loans they have', async () => {
  using t = leaky({ suppress: parseBaseline(await baselineOfKnown()) });
  using warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  t.known();
  await t.watchdog.assertNoLeaks();
  expect(warn).toHaveBeenCalledExactlyOnceWith(
    'tenure: no leak was found; 1 lost loan is suppressed',
  );
  t.fresh();
  await expect(t.watchdog.assertNoLeaks()).rejects.toThrow('1 lost loan is suppressed');
});

test.each([
  ['of all scopes', 0],
  ['of all scopes, in the grace of their losses', 1_000],
])('a check %s does not wait for suppressed loans to come back', async (_which, graceMillis) => {
  using t = leaky({ suppress: parseBaseline(await baselineOfKnown()), graceMillis });
  t.known();
  expect(await t.watchdog.check({ graceMillis: 60_000 })).toEqual([]);
});

test('a check of one scope does not wait for suppressed loans to come back', async () => {
  using t = leaky({ suppress: parseBaseline(await baselineOfKnown()) });
  const scope = t.watchdog.openScope('GET /orders/1');
  scope.run(t.takeKnown);
  scope.end();
  expect(await t.watchdog.check({ scope, graceMillis: 60_000 })).toEqual([]);
});

test('a check with a grace ends when the loans that are not suppressed have come back', async () => {
  using t = leaky({ suppress: parseBaseline(await baselineOfKnown()), graceMillis: 1_000 });
  t.known();
  const lease = t.fresh();
  const checked = t.watchdog.check({ graceMillis: 60_000 });
  lease.release();
  expect(await checked).toEqual([]);
});

test.each([
  ['{', 'it is no JSON'],
  ['null', '`version` must be 1'],
  ['{"version":2,"leaks":[]}', '`version` must be 1'],
  ['{"version":1}', '`leaks` must be a list'],
  ['{"version":1,"leaks":[{"signature":"xyz"}]}', '`leaks[0]` has no signature'],
  ['{"version":1,"leaks":[null]}', '`leaks[0]` has no signature'],
])('a malformed baseline is refused: %s', (text, why) => {
  expect(() => parseBaseline(text)).toThrow(InvalidArgumentError);
  expect(() => parseBaseline(text)).toThrow(why);
});

test.each([['5f3a91c2'], [['5F3A91C2']], [[1]]])('`suppress: %j` is refused', (suppress) => {
  expect(() => new Watchdog({ suppress } as never)).toThrow(
    '`suppress` must be a list of signatures',
  );
});

const schema = JSON.parse(
  readFileSync(new URL('../../src/watchdog/report-json.schema.json', import.meta.url), 'utf8'),
);
const validate = new Ajv2020({ strict: true, allErrors: true }).compile(schema);

test('the JSON of reports is valid by its schema', async () => {
  using t = leaky();
  t.pool.figures = { borrowed: 3, max: Number.POSITIVE_INFINITY };
  const lease = t.known();
  lease.touch('query sent');
  await clock.advance(1_000);
  const twice = t.pool.lease();
  twice.release();
  t.known();
  t.fresh();
  const json = reportJson(await t.watchdog.check(), { suppressed: 2, unreported: 1 });
  expect(json).toMatchObject({ version: 1, lost: 3, suppressed: 2, unreported: 1 });
  expect(json.leaks[0]?.state).toEqual({ borrowed: 3 });
  const parsed = JSON.parse(JSON.stringify(json));
  expect(parsed).toEqual(json);
  validate(parsed);
  expect(validate.errors).toBeNull();
  expect(json.leaks[0]?.perMinute).toBe(60);
  expect(validate({ ...parsed, version: 2 })).toBe(false);
  expect(validate({ ...parsed, leaks: [{ ...parsed.leaks[0], signature: 'x' }] })).toBe(false);
});
