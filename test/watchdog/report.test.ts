/** What a report says of many loans: who lost them, when, how surely, and under which signature. */
import assert from 'node:assert/strict';
import { expect, test, vi } from 'vitest';
import { formatReport, type LeakReport, Watchdog } from '../../src/watchdog/index.js';
import { signatureOf } from '../../src/watchdog/leak-signature.js';
import { withoutIds } from '../../src/watchdog/scope-name.js';
import { FakeClock } from '../kit/fake-clock.js';
import { lineOf } from '../kit/line-of.js';
import { settle } from '../kit/settle.js';
import { type MinimalLease, MinimalPool } from './minimal-pool.js';
import { watchedPool } from './watched-pool.js';

function watched(options: { readonly graceMillis?: number } = {}) {
  const watched = watchedPool(options);
  const told: string[] = [];
  const note =
    (event: string) =>
    ({ count, certainty }: LeakReport): void => {
      told.push(`${event} ${certainty} ×${count}`);
    };
  watched.watchdog.on('leak', note('leak'));
  watched.watchdog.on('retracted', note('retracted'));
  return { ...watched, told };
}

test.each([
  ['GET /orders/17', 'GET /orders/:id'],
  ['GET /v2/orders/17/items/4?page=3', 'GET /v2/orders/:id/items/:id?page=:id'],
  ['user 3f2504e0-4f89-11d3-9a0c-0305e82c3301', 'user :id'],
  ['GET /docs/507f1f77bcf86cd799439011 > job_42', 'GET /docs/:id > job_:id'],
  ['GET /s3/oauth2/facade', 'GET /s3/oauth2/facade'],
  ['GET /orders/:id', 'GET /orders/:id'],
  ['GET /files/01ARZ3NDEKTSV4RRFFQ69G5FAV/raw', 'GET /files/:id/raw'],
  ['upload cjld2cjxh0000qzrmn831i7rn', 'upload :id'],
  ['convertBase64ToUint8ArrayBuffer', 'convertBase64ToUint8ArrayBuffer'],
])('the ids of %j are replaced', (name, expected) => {
  expect(withoutIds(name)).toBe(expected);
});

const site = { functionName: 'Orders.find', file: 'src/orders.ts', line: 8, column: 2 };
const component = { kind: 'pool', name: 'db' };

test('a signature survives an edit above, a rebuild, and another way to call the function', () => {
  const signature = signatureOf('orphaned', component, site);
  expect(signature).toMatch(/^[0-9a-f]{8}$/);
  expect(signatureOf('orphaned', component, { ...site, line: 80, column: 7 })).toBe(signature);
  const functionName = 'async Orders.find [as handler]';
  expect(signatureOf('orphaned', component, { ...site, functionName })).toBe(signature);
  const built = (hash: string) =>
    signatureOf('orphaned', component, { ...site, file: `dist/orders-${hash}.js` });
  expect(built('4c1f09ab')).toBe(built('DiwrgTda'));
  expect(built('legacy')).not.toBe(built('current'));
});

test('a signature is that of earlier versions, since baselines and suppressions keep it', () => {
  expect(signatureOf('orphaned', component, site)).toBe('5ab50d8d');
  expect(signatureOf('orphaned', { kind: 'pool', name: 'j3' }, site)).toBe('0435c45c');
});

test('a signature tells rules, components, functions and files apart', () => {
  const signatures = [
    signatureOf('orphaned', component, site),
    signatureOf('abandoned', component, site),
    signatureOf('orphaned', { ...component, name: 'replica' }, site),
    signatureOf('orphaned', component, { ...site, functionName: 'Orders.list' }),
    signatureOf('orphaned', component, { ...site, file: 'src/users.ts' }),
    signatureOf('orphaned', component, undefined),
  ];
  expect(new Set(signatures).size).toBe(signatures.length);
});

test('scopes that differ in an id are one scope of one leak', async () => {
  using t = watched();
  for (let id = 0; id < 500; id++) t.watchdog.scope(`GET /orders/${id}`, () => void t.pool.lease());
  expect(await t.watchdog.check()).toMatchObject([
    {
      count: 500,
      scope: 'GET /orders/:id',
      scopes: [{ scope: 'GET /orders/:id', count: 500 }],
    },
  ]);
});

test('scopes beyond those that are listed are counted, and come off the list when loans come back', async () => {
  using t = watched();
  const leases: MinimalLease[] = [];
  for (let i = 0; i < 40; i++) {
    t.watchdog.scope(`tenant ${'x'.repeat(i)}`, () => void leases.push(t.pool.lease()));
  }
  const [report] = await t.watchdog.check();
  expect([report?.scopes.length, report?.unlisted]).toEqual([32, { stacks: 0, scopes: 8 }]);
  for (const lease of leases.slice(1)) lease.release();
  const [rest] = await t.watchdog.check();
  expect(rest).toMatchObject({ count: 1, scopes: [{ count: 1 }], unlisted: { scopes: 0 } });
});

test('the callers of a helper are counted', async () => {
  using t = watched();
  const connect = (): MinimalLease => t.pool.lease();
  const listOrders = (): MinimalLease => connect(); // first caller
  const listUsers = (): MinimalLease => connect(); // second caller
  for (const handler of [listOrders, listUsers, listOrders]) t.watchdog.scope('GET /', handler);
  const [report] = await t.watchdog.check();
  expect(report?.sites.filter(({ depth }) => depth <= 1)).toMatchObject([
    { depth: 0, count: 3, functionName: 'connect' },
    { depth: 1, count: 2, line: lineOf(import.meta.url, '// first caller') },
    { depth: 1, count: 1, line: lineOf(import.meta.url, '// second caller') },
  ]);
});

test('a release within the grace makes no noise; a longer loan is told of, and retracted', async () => {
  using t = watched();
  const late = t.watchdog.scope('GET /', () => t.pool.lease());
  await t.clock.advance(999);
  late.release();
  await t.clock.advance(10_000);
  expect([t.told, t.watchdog.stats().retracted]).toEqual([[], 0]);
  const later = t.watchdog.scope('GET /', () => t.pool.lease());
  await t.clock.advance(999);
  expect([t.told, t.watchdog.stats().lost]).toEqual([[], 1]);
  await t.clock.advance(1);
  later.release();
  expect(t.told).toEqual(['leak probable ×1', 'retracted probable ×0']);
});

test('each loan has its own grace', async () => {
  using t = watched();
  const lose = (): MinimalLease => t.watchdog.scope('GET /', () => t.pool.lease());
  lose();
  await t.clock.advance(600);
  lose();
  await t.clock.advance(400);
  expect(t.told).toEqual(['leak probable ×1']);
  await t.clock.advance(600);
  expect(t.told).toEqual(['leak probable ×1', 'leak probable ×2']);
  expect(t.clock.foregroundTimers).toBe(0);
});

test('a check does not wait for the grace, and does not end it', async () => {
  using t = watched();
  const lease = t.watchdog.scope('GET /', () => t.pool.lease());
  expect(await t.watchdog.check()).toMatchObject([{ count: 1 }]);
  lease.release();
  expect(await t.watchdog.check()).toEqual([]);
  t.watchdog.scope('GET /', () => t.pool.lease());
  await t.watchdog.check();
  await t.clock.advance(1_000);
  expect(t.told).toEqual(['leak probable ×1']);
});

test('a certain leak is told of at once', async () => {
  using t = watched();
  (() => void t.pool.lease())();
  await t.watchdog.check({ forceGc: true });
  expect(t.told).toEqual(['leak certain ×1']);
});

test('the proof of one loan does not make the others of its line certain', async () => {
  using t = watched({ graceMillis: 0 });
  const kept: MinimalLease[] = [];
  const take = (): MinimalLease => t.watchdog.scope('GET /', () => t.pool.lease());
  take();
  kept.push(take());
  await settle();
  const reports = await t.watchdog.check({ forceGc: true });
  expect(reports.map(({ certainty, count }) => [certainty, count])).toEqual([
    ['probable', 1],
    ['certain', 1],
  ]);
  expect(new Set(reports.map(({ signature }) => signature)).size).toBe(1);
  expect(formatReport(reports)).toContain('certain ×1, probable ×1');
  expect(t.told).toEqual(['leak probable ×1', 'leak probable ×2', 'leak certain ×1']);
  kept[0]?.release();
  expect(await t.watchdog.check()).toMatchObject([{ certainty: 'certain', count: 1 }]);
});

test('a report says when its loans were first and last found', async () => {
  using t = watched();
  const lose = (): void => t.watchdog.scope('GET /', () => void t.pool.lease());
  lose();
  t.clock.jump(4_000);
  lose();
  t.clock.jump(1_500);
  expect(await t.watchdog.check()).toMatchObject([
    { firstSeenMillis: 5_500, lastSeenMillis: 1_500 },
  ]);
});

test('no report is built while no listener wants it', async () => {
  const clock = new FakeClock();
  using watchdog = new Watchdog({ level: 'advanced', clock, graceMillis: 0 });
  const pool = new MinimalPool('db');
  pool.addResource();
  const figures = vi.fn(() => ({}));
  Object.defineProperty(pool, 'figures', { get: figures });
  watchdog.watch(pool);
  figures.mockClear();
  for (let i = 0; i < 100; i++) watchdog.scope('GET /', () => pool.lease()).release();
  expect([figures.mock.calls.length, watchdog.stats().retracted]).toEqual([0, 100]);
});

test('frames of this package are not shown', async () => {
  using t = watched();
  t.watchdog.scope('outer', () => t.watchdog.scope('inner', () => void t.pool.lease()));
  const [report] = await t.watchdog.check();
  expect(report?.sites.length).toBeGreaterThan(1);
  expect(report?.stack.filter(({ file }) => file.startsWith('src/'))).toEqual([]);
});

test('a report in a template string is one line with the loss, its place, its age and the fix', async () => {
  const { clock, watchdog, pool } = watched();
  await watchdog.scope('GET /orders/7', async () => {
    pool.lease(); // lost, and told in one line
  });
  await clock.advance(5_000);
  const [report] = await watchdog.check();
  const place = `${import.meta.url.split('/').at(-1)}:${lineOf(import.meta.url, '// lost, and told in one line')}`;
  expect(`${report}`).toMatch(/^orphaned {2}pool "[^"]+" {2}probable ×1 {2}[^\n]*$/);
  expect(`${report}`).toContain(place);
  expect(`${report}`).toContain('in GET /orders/:id  (oldest 5.0s)  fix: ');
  expect(`${report}`.endsWith(String(report?.fix))).toBe(true);
});

test('the text of a report is no part of its data', async () => {
  const { watchdog, pool } = watched();
  await watchdog.scope('GET /', async () => void pool.lease());
  const [report] = await watchdog.check();
  const copy = { ...report };
  expect(Object.keys(copy)).not.toContain('toString');
  expect(report).toStrictEqual(copy);
  expect(structuredClone(report)).toStrictEqual(copy);
  expect(JSON.stringify(report)).toBe(JSON.stringify(copy));
  assert.deepStrictEqual(report, copy);
});
