/** A level that takes some stacks finds one leak with its line and without. These are one report, if only one line comes into question. */
import { expect, onTestFinished, test } from 'vitest';
import { createKeyedPool, createPool } from '../../src/pool/index.js';
import { RefCounted } from '../../src/scope/index.js';
import {
  formatReport,
  type LeakReport,
  Watchdog,
  type WatchLevel,
} from '../../src/watchdog/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { lineOf } from '../kit/line-of.js';

const factory = { create: () => ({}), destroy: () => {} };

/** The level `simple` takes the stacks of the first four loans of a component; the others are lost before that is known. */
const FIRST = 4;

function watching(suppress: readonly string[] = [], level: WatchLevel = 'simple') {
  const clock = new FakeClock();
  const watchdog = new Watchdog({ level, clock, suppress, rules: { abandoned: false } });
  onTestFinished(() => watchdog[Symbol.dispose]());
  const told: string[] = [];
  const note = (event: string) => (report: LeakReport) =>
    void told.push(`${event} ${described(report)}`);
  watchdog.on('leak', note('leak'));
  watchdog.on('retracted', note('retracted'));
  const pool = createPool(factory, { name: 'db', max: 1_000 });
  watchdog.watch(pool);
  return { clock, watchdog, pool, told };
}

function described({ site, count, withoutLine = 0 }: LeakReport): string {
  return `${site?.line ?? 'no line'} ×${count}, ${withoutLine} without`;
}

async function reported(watchdog: Watchdog): Promise<string[]> {
  const reports = await watchdog.check();
  const lost = reports.reduce((sum, { count }) => sum + count, 0);
  expect(lost).toBe(watchdog.stats().lost);
  return reports.map(described).sort();
}

async function times(count: number, body: (i: number) => unknown): Promise<void> {
  for (let i = 0; i < count; i++) await body(i);
}

const line = (text: string): number => lineOf(import.meta.url, `// ${text}`);

test('leases that a loop loses in a scope are one leak', async () => {
  const { watchdog, pool } = watching();
  await watchdog.scope('job', () => times(18, () => pool.lease())); // lost in a loop
  expect(await reported(watchdog)).toEqual([`${line('lost in a loop')} ×18, 14 without`]);
  expect(formatReport(await watchdog.check())).toContain('and 14 more whose line was not recorded');
});

test('leases that each request of a route loses are one leak', async () => {
  const { watchdog, pool } = watching();
  await times(10, (id) => watchdog.scope(`GET /orders/${id}`, () => pool.lease())); // lost in requests
  expect(await reported(watchdog)).toEqual([`${line('lost in requests')} ×10, 6 without`]);
});

test('callbacks of `use` that never end are one leak', async () => {
  const { watchdog, pool } = watching();
  const hang = (): void => void pool.use(() => new Promise(() => {})); // lost through use
  await times(7, () => watchdog.scope('job', hang));
  expect(await reported(watchdog)).toEqual([`${line('lost through use')} ×7, 3 without`]);
});

test('leases of one key of a keyed pool are one leak', async () => {
  const { watchdog } = watching();
  const pools = createKeyedPool((_key: string) => factory, {
    name: 'shards',
    maxTotal: 100,
    max: 50,
  });
  watchdog.watch(pools);
  await watchdog.scope('job', () => times(9, () => pools.lease('a'))); // lost of a key
  expect(await reported(watchdog)).toEqual([`${line('lost of a key')} ×9, 5 without`]);
});

test('leases on a shared value are one leak', async () => {
  const { watchdog } = watching();
  const shared = new RefCounted(() => ({}), { name: 'client' });
  watchdog.watch(shared);
  await watchdog.scope('job', () => times(6, () => shared.acquire())); // lost of a shared value
  expect(await reported(watchdog)).toEqual([`${line('lost of a shared value')} ×6, 2 without`]);
});

test('leases that a generator takes outside of any scope are one leak', async () => {
  const { clock, watchdog } = watching();
  const small = createPool(factory, { name: 'small', max: 6, acquireTimeoutMillis: 1_000, clock });
  watchdog.watch(small);
  async function* leases() {
    for (;;) yield await small.lease(); // lost by a generator
  }
  const taken = leases();
  await times(6, () => taken.next());
  const refused = small.lease().catch(() => {});
  await clock.advance(120_000);
  await refused;
  const [report] = await watchdog.check();
  expect(report?.rule).toBe('exhausted');
  expect(await reported(watchdog)).toEqual([`${line('lost by a generator')} ×6, 2 without`]);
});

test('a line that two rules find is one report, with the count of each rule', async () => {
  const { clock, watchdog } = watching([], 'advanced');
  const small = createPool(factory, { name: 'small', max: 4, acquireTimeoutMillis: 1_000, clock });
  watchdog.watch(small);
  const take = () => small.lease(); // lost by a helper, inside and outside of scopes
  await times(100, async () => (await take()).release());
  const kept: unknown[] = []; // V8 must not collect some of the leases: it would be surer of these.
  await times(2, () => watchdog.scope('GET /orders', async () => kept.push(await take())));
  await times(2, async () => kept.push(await take()));
  await times(30, async () => {
    const refused = small.lease().catch(() => {});
    await clock.advance(60_000);
    await refused;
  });
  expect(await reported(watchdog)).toEqual([
    `${line('lost by a helper, inside and outside of scopes')} ×4, 0 without`,
  ]);
  const [report] = await watchdog.check();
  expect(report?.rules).toEqual([
    { rule: 'orphaned', count: 2 },
    { rule: 'exhausted', count: 2 },
  ]);
  expect(formatReport(await watchdog.check())).toContain('found by     orphaned ×2, exhausted ×2');
  expect(kept).toHaveLength(4);
});

test('losses without a line in another scope name the line that they may be of', async () => {
  const { watchdog, pool } = watching();
  const take = () => pool.lease(); // lost in two routes
  await times(4, () => watchdog.scope('GET /a', take));
  await times(3, () => watchdog.scope('GET /b', take));
  const reports = await watchdog.check();
  const unknown = reports.find(({ site }) => site === undefined);
  expect(unknown?.possibleSites?.map((site) => [site.line, site.count])).toEqual([
    [line('lost in two routes'), 4],
  ]);
  expect(formatReport(reports.filter(({ site }) => site === undefined))).toMatch(
    /perhaps at .*joined-reports.test.ts:\d+:\d+ {2}take, which has lost 4 other loans/,
  );
});

test('two lines of one component stay apart, and what either may have lost is a leak of its own', async () => {
  const { watchdog, pool } = watching();
  await watchdog.scope('job', async () => {
    await times(2, () => pool.lease()); // lost by the first line
    await times(2, () => pool.lease()); // lost by the second line
    await times(5, () => pool.lease());
  });
  const lines = [line('lost by the first line'), line('lost by the second line')];
  expect(await reported(watchdog)).toEqual([
    ...lines.map((each) => `${each} ×2, 0 without`),
    'no line ×5, 0 without',
  ]);
});

test('what was lost in another scope is a leak of its own', async () => {
  const { watchdog, pool } = watching();
  await watchdog.scope('job', () => times(FIRST, () => pool.lease())); // lost in the first scope
  await watchdog.scope('other job', () => times(3, () => pool.lease()));
  expect(await reported(watchdog)).toEqual([
    `${line('lost in the first scope')} ×4, 0 without`,
    'no line ×3, 0 without',
  ]);
});

test('a leak whose stack was never taken has no line', async () => {
  const { watchdog, pool } = watching();
  await times(FIRST, async () => (await pool.lease()).release());
  await watchdog.scope('job', () => times(5, () => pool.lease()));
  expect(await reported(watchdog)).toEqual(['no line ×5, 0 without']);
});

test('one event tells of both, and a loan that comes back leaves what is left of both', async () => {
  const { clock, watchdog, pool, told } = watching();
  const leases = await watchdog.scope(
    'job',
    () => Promise.all(Array.from({ length: 10 }, () => pool.lease())), // told at once
  );
  await clock.advance(2_000);
  const at = line('told at once');
  expect(told).toEqual([`leak ${at} ×10, 6 without`]);
  await leases[9]?.release();
  expect(told.slice(1)).toEqual([`retracted ${at} ×9, 5 without`]);
});

test('a leak that was told without a line is told once more with it, and then when it has doubled', async () => {
  const { clock, watchdog, pool, told } = watching();
  await times(FIRST, async () => (await pool.lease()).release());
  const lose = (count: number) => watchdog.scope('job', () => times(count, () => pool.lease())); // told later
  await lose(2);
  await clock.advance(2_000);
  await lose(1);
  await clock.advance(2_000);
  await lose(1);
  await clock.advance(2_000);
  await lose(2);
  await clock.advance(2_000);
  const at = line('told later');
  expect(told).toEqual([
    'leak no line ×2, 0 without',
    `leak ${at} ×3, 2 without`,
    `leak ${at} ×6, 2 without`,
  ]);
});

test('the signature of the line suppresses both, and the loans are counted', async () => {
  const known = watching();
  const lose = (pool: ReturnType<typeof watching>['pool'], watchdog: Watchdog) =>
    watchdog.scope('job', () => times(9, () => pool.lease()));
  await lose(known.pool, known.watchdog);
  const [report] = await known.watchdog.check();
  const { clock, watchdog, pool, told } = watching([report?.signature ?? '']);
  await lose(pool, watchdog);
  await clock.advance(2_000);
  expect([await watchdog.check(), told]).toEqual([[], []]);
  expect(watchdog.stats()).toMatchObject({ lost: 0, suppressed: 9 });
});
