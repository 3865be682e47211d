/**
 * One leak is one report: if several rules find what a line has lost, and if a level that takes some stacks finds it with the line and
 * without, as far as only one line comes into question.
 */
import genericPool from 'generic-pool';
import { expect, onTestFinished, test } from 'vitest';
import { adoptPool } from '../../src/integrations/generic-pool.js';
import { createKeyedPool, createPool, type Lease } from '../../src/pool/index.js';
import { RefCounted } from '../../src/scope/index.js';
import {
  formatReport,
  type LeakReport,
  Watchdog,
  type WatchLevel,
} from '../../src/watchdog/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gate } from '../kit/gate.js';
import { lineOf } from '../kit/line-of.js';

const factory = { create: () => ({}), destroy: () => {} };

/** The level `simple` takes the stacks of the first four loans of a component; the others are lost before that is known. */
const FIRST = 4;

/** A pool that takes no stacks of its own: the watchdog would use them, and know each line. */
const STACKLESS = { callSites: 'none' } as const;

/** Leases that V8 must not collect: the watchdog would be surer of these. */
const held: unknown[] = [];

function watching(suppress: readonly string[] = []) {
  const clock = new FakeClock();
  const watchdog = new Watchdog({ level: 'simple', clock, suppress, rules: { abandoned: false } });
  onTestFinished(() => watchdog[Symbol.dispose]());
  const told: string[] = [];
  const note = (event: string) => (report: LeakReport) =>
    void told.push(`${event} ${described(report)}`);
  watchdog.on('leak', note('leak'));
  watchdog.on('retracted', note('retracted'));
  const pool = createPool(factory, { ...STACKLESS, name: 'db', max: 1_000 });
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

test.each(['counters', 'simple'] as const)(
  'at the level %s, the stacks that a pool takes by itself give a line to each loss',
  async (level) => {
    const watchdog = new Watchdog({ level, clock: new FakeClock(), rules: { abandoned: false } });
    onTestFinished(() => watchdog[Symbol.dispose]());
    const pool = createPool(factory, { name: 'db', max: 1_000 });
    watchdog.watch(pool);
    await watchdog.scope('job', () => times(18, () => pool.lease())); // lost in a quiet pool
    expect(await reported(watchdog)).toEqual([`${line('lost in a quiet pool')} ×18, 0 without`]);
  },
);

test('at the level paranoid a leak has the whole stack, although the pool has taken ten frames', async () => {
  const watchdog = new Watchdog({ level: 'paranoid', clock: new FakeClock() });
  onTestFinished(() => watchdog[Symbol.dispose]());
  const pool = createPool(factory, { name: 'db' });
  watchdog.watch(pool);
  const nested = (depth: number): Promise<unknown> =>
    depth === 0 ? pool.lease() : nested(depth - 1);
  await watchdog.scope('job', async () => held.push(await nested(20)));
  const [report] = await watchdog.check();
  expect(report?.stack.filter(({ functionName }) => functionName === 'nested')).toHaveLength(21);
});

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
    ...STACKLESS,
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
  const small = createPool(factory, {
    ...STACKLESS,
    name: 'small',
    max: 12,
    acquireTimeoutMillis: 1_000,
    clock,
  });
  watchdog.watch(small);
  async function* leases() {
    for (;;) yield await small.lease(); // lost by a generator
  }
  const taken = leases();
  await times(12, () => taken.next());
  const refused = small.lease().catch(() => {});
  await clock.advance(120_000);
  await refused;
  const [report] = await watchdog.check();
  expect(report?.rule).toBe('exhausted');
  expect(await reported(watchdog)).toEqual([`${line('lost by a generator')} ×12, 2 without`]);
});

test('a line that loses loans inside and outside of scopes is one leak, with the count of each rule', async () => {
  const clock = new FakeClock();
  const watchdog = new Watchdog({ level: 'advanced', clock, rules: { abandoned: false } });
  onTestFinished(() => watchdog[Symbol.dispose]());
  const small = createPool(factory, { name: 'small', max: 4, acquireTimeoutMillis: 1_000, clock });
  watchdog.watch(small);
  const take = () => small.lease(); // lost by a helper, inside and outside of scopes
  await times(100, async () => (await take()).release());
  await times(2, () => watchdog.scope('GET /orders', async () => held.push(await take())));
  await times(2, async () => held.push(await take()));
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
  const withoutLine = (await watchdog.check()).find(({ site }) => site === undefined);
  expect(withoutLine?.possibleSites?.map((site) => site.line)).toEqual(lines);
});

test('a line that loses a loan of each key is one leak, though one of the loans has a stack', async () => {
  const { watchdog } = watching();
  const shards = createKeyedPool((_key: string) => factory, { ...STACKLESS, name: 'shards' });
  watchdog.watch(shards);
  const known = ['b', 'c', 'd'];
  for (const key of known) await times(FIRST, () => shards.use(key, () => {}));
  await watchdog.scope('POST /tenants', async () => {
    for (const key of ['a', ...known]) held.push(await shards.lease(key)); // lost once for each key
  });
  expect(await reported(watchdog)).toEqual([
    `${line('lost once for each key')} ×4, ${known.length} without`,
  ]);
});

test('calls of one line are one leak, with each of them', async () => {
  const { watchdog, pool, told } = watching();
  for (let i = 0; i < 3; i++) {
    await watchdog.scope('job', () => Promise.all([pool.lease(), pool.lease()])); // lost by two calls
  }
  expect(await reported(watchdog)).toEqual([`${line('lost by two calls')} ×6, 2 without`]);
  const [report] = await watchdog.check();
  const calls = report?.sites.filter(({ depth }) => depth === 0);
  expect(calls?.map(({ count }) => count)).toEqual([2, 2]);
  expect(new Set(calls?.map(({ column }) => column)).size).toBe(2);
  expect(told.filter((event) => event.includes('no line'))).toEqual([]);
});

test('what was lost in another scope is a leak of its own', async () => {
  const { watchdog, pool } = watching();
  await watchdog.scope('job', () => times(FIRST, () => pool.lease())); // lost in the first scope
  await watchdog.scope('other job', () => times(3, () => pool.lease()));
  expect(await reported(watchdog)).toEqual([
    `${line('lost in the first scope')} ×4, 0 without`,
    'no line ×3, 0 without',
  ]);
  const withoutLine = (await watchdog.check()).find(({ site }) => site === undefined);
  expect(withoutLine?.possibleSites).toMatchObject([
    { line: line('lost in the first scope'), depth: 0, count: 4 },
  ]);
  expect(formatReport(await watchdog.check(), { maxLines: 60 })).toMatch(
    /perhaps at {3}\S*joined-reports\.test\.ts:\d+:\d+.*, which has lost 4 other loans/,
  );
});

// All loans of the other job whose stacks were taken are of the line that the first job loses at. Its rare path is of another line.
test('loans of another scope that come from the line of a leak do not make it the line of a loss', async () => {
  const { watchdog, pool } = watching();
  const usual = () => pool.lease(); // lost by the usual path
  const rare = () => pool.lease();
  await watchdog.scope('job', () => times(2, usual));
  await times(1_000, () => watchdog.scope('other job', async () => (await usual()).release()));
  await watchdog.scope('other job', rare);
  expect(await reported(watchdog)).toEqual([
    `${line('lost by the usual path')} ×2, 0 without`,
    'no line ×1, 0 without',
  ]);
});

test('what was lost by another function is of none of the known lines', async () => {
  const { watchdog, pool } = watching();
  await watchdog.scope('job', async () => {
    await times(FIRST, () => pool.lease());
    void pool.use(() => new Promise(() => {}));
    await pool.acquire();
  });
  const withoutLine = (await watchdog.check()).find(({ site }) => site === undefined);
  expect([withoutLine?.count, withoutLine?.possibleSites]).toEqual([2, undefined]);
});

const HANG = new Promise<never>(() => {});

/** A service of 2 resources of each key. */
function shards(level: WatchLevel) {
  const clock = new FakeClock();
  const watchdog = new Watchdog({ level, clock });
  onTestFinished(() => watchdog[Symbol.dispose]());
  const pools = createKeyedPool((_key: string) => factory, {
    name: 'shards',
    max: 2,
    maxTotal: 4,
    clock,
  });
  watchdog.watch(pools);
  const told: LeakReport[] = [];
  watchdog.on('leak', (report) => told.push(report));
  return {
    clock,
    watchdog,
    told,
    lose: async () => held.push(await pools.lease('acme')), // lost of a shard
    async traffic(): Promise<void> {
      await times(3_000, async () => (await pools.lease('acme')).release());
    },
    async refuse(minutes: number): Promise<void> {
      await times(minutes, async () => {
        await pools.lease('acme', { timeoutMillis: 0 }).catch(() => {});
        await clock.advance(60_000);
      });
    },
  };
}

test.each(['counters', 'sampled', 'simple', 'advanced', 'paranoid'] as const)(
  'two loans of a key that are lost a minute apart are one leak at the level %s',
  async (level) => {
    const { clock, watchdog, told, lose, traffic, refuse } = shards(level);
    await lose();
    await traffic();
    await clock.advance(60_000);
    await lose();
    await refuse(10);
    const reports = await watchdog.check();
    expect(reports).toMatchObject([
      {
        rule: 'tenured',
        rules: [
          { rule: 'tenured', count: 1 },
          { rule: 'exhausted', count: 1 },
        ],
        count: 2,
      },
    ]);
    const signatures = new Set(told.map(({ signature }) => signature));
    expect([...signatures]).toEqual([reports[0]?.signature]);
    expect(formatReport(reports)).toContain('found by     tenured ×1, exhausted ×1');
  },
);

/** Requests of one line of which some end, and the others hang. The pool is exhausted by both. */
async function lostAndHung(suppress: readonly string[] = []) {
  const clock = new FakeClock();
  const watchdog = new Watchdog({ level: 'advanced', clock, suppress });
  onTestFinished(() => watchdog[Symbol.dispose]());
  const pool = createPool(factory, { name: 'db', max: 5, clock });
  watchdog.watch(pool);
  const told: LeakReport[] = [];
  watchdog.on('leak', (report) => told.push(report));
  const retracted: string[] = [];
  watchdog.on('retracted', ({ rule, count }) => retracted.push(`${rule} ×${count}`));
  const leases: Lease<object>[] = [];
  held.push(leases);
  const handle = (then?: Promise<never>) =>
    watchdog.scope('GET /', async () => {
      leases.push(await pool.lease());
      await then;
    });
  await times(3, () => handle());
  await times(2, () => void handle(HANG));
  await times(5, async () => {
    await clock.advance(1_000);
    await pool.lease({ timeoutMillis: 0 }).catch(() => {});
    await clock.advance(60_000);
  });
  return { clock, watchdog, told, retracted, leases };
}

test('what is lost with another certainty has the signature of its line', async () => {
  const { watchdog, told } = await lostAndHung();
  const reports = await watchdog.check();
  expect(reports.map(({ rule, certainty, count }) => [rule, certainty, count])).toEqual([
    ['orphaned', 'probable', 3],
    ['exhausted', 'suspect', 2],
  ]);
  expect(new Set([...reports, ...told].map(({ signature }) => signature)).size).toBe(1);
  expect(formatReport(reports)).toContain('LEAK LIKELY  1 leak, 5 lost loans');
});

test('the signature of a line suppresses what each rule has found', async () => {
  const [report] = await (await lostAndHung()).watchdog.check();
  const { watchdog, told } = await lostAndHung([report?.signature ?? '']);
  expect([await watchdog.check(), told]).toEqual([[], []]);
  expect(watchdog.stats()).toMatchObject({ lost: 0, suppressed: 5 });
});

test('a loan that comes back leaves what the other rules have found', async () => {
  const { watchdog, retracted, leases } = await lostAndHung();
  for (const lease of leases.splice(0, 3)) await lease.release();
  expect(retracted).toContain('orphaned ×2');
  expect((await watchdog.check()).every(({ rule }) => rule !== 'orphaned')).toBe(true);
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

test('a leak that another rule finds is told once more when its count has doubled, and not before', async () => {
  const clock = new FakeClock();
  const watchdog = new Watchdog({ level: 'advanced', clock });
  onTestFinished(() => watchdog[Symbol.dispose]());
  const pool = createPool(factory, { name: 'db', max: 3, clock });
  watchdog.watch(pool);
  const told: string[] = [];
  watchdog.on('leak', ({ rule, count }) => told.push(`${rule} ×${count}`));
  await times(20, async () => (await pool.lease()).release());
  const leases: Lease<object>[] = [];
  held.push(leases);
  const end = new Gate();
  const handle = () =>
    watchdog.scope('GET /', async () => {
      leases.push(await pool.lease());
      await end.passed;
    });
  const handled = [handle(), handle(), handle()];
  await clock.advance(1_000);
  await pool.lease({ timeoutMillis: 0 }).catch(() => {});
  await clock.advance(120_000);
  expect(told).toEqual(['exhausted ×3']);
  end.open();
  await Promise.all(handled);
  await clock.advance(2_000);
  await leases[0]?.release();
  await handle();
  await clock.advance(2_000);
  expect(await watchdog.check()).toMatchObject([{ rule: 'orphaned', count: 3 }]);
  expect(told).toEqual(['exhausted ×3']);
});

test('a line whose losses have come back, and that loses again, is one leak', async () => {
  const { watchdog, pool } = watching();
  const lose = () => watchdog.scope('GET /', () => pool.lease()); // loses, and again
  const lease = await lose();
  expect(await reported(watchdog)).toEqual([`${line('loses, and again')} ×1, 0 without`]);
  await lease.release();
  expect(await reported(watchdog)).toEqual([]);
  held.push(await lose());
  expect(await reported(watchdog)).toEqual([`${line('loses, and again')} ×1, 0 without`]);
});

test('a line whose loans are lost, and others of it given back past their leases, are two leaks', async () => {
  const { watchdog } = watching();
  const peer = genericPool.createPool(
    { create: async () => ({}), destroy: async () => {} },
    { max: 9 },
  );
  const pool = adoptPool(peer, { name: 'workers' });
  watchdog.watch(pool);
  const take = () => watchdog.scope('GET /', () => pool.lease());
  const [lost, given] = [await take(), await take()];
  held.push(lost, given);
  await peer.release(given.resource);
  const reports = await watchdog.check();
  expect(reports.map(({ rule, count }) => [rule, count]).sort()).toEqual([
    ['direct-release', 1],
    ['orphaned', 1],
  ]);
  expect(new Set(reports.map(({ signature }) => signature)).size).toBe(2);
});

test('losses of a line that are joined tell of the first, of the last and of the oldest loan', async () => {
  const { clock, watchdog, pool } = watching();
  const lose = () => watchdog.scope('job', async () => held.push(await pool.lease())); // lost again and again
  await times(FIRST, lose);
  await clock.advance(60_000);
  await times(2, lose);
  await clock.advance(30_000);
  const reports = await watchdog.check();
  expect(reports.map(described)).toEqual([`${line('lost again and again')} ×6, 2 without`]);
  expect(reports).toMatchObject([
    { ageMillis: 90_000, firstSeenMillis: 90_000, lastSeenMillis: 30_000, perMinute: 5 },
  ]);
});

test('a line that loses ten loans a second has that rate, although it is joined', async () => {
  const { clock, watchdog, pool } = watching();
  await times(3 * FIRST, async () => {
    await watchdog.scope('job', async () => held.push(await pool.lease()));
    await clock.advance(100);
  });
  const [report] = await watchdog.check();
  expect(report).toMatchObject({ count: 3 * FIRST, withoutLine: 2 * FIRST });
  expect(report?.perMinute).toBeCloseTo(600);
});

/** Calls `body` with one of 64 stacks. */
function callFrom<T>(way: number, body: () => T, depth = 6): T {
  if (depth === 0) return body();
  return way % 2 === 0 ? callFrom(way >> 1, body, depth - 1) : callFrom(way >> 1, body, depth - 1);
}

/** A name of letters: numbers in the names of scopes are ids. */
const letters = (i: number): string => [...i.toString(2)].map((bit) => 'ab'[Number(bit)]).join('');

const sum = (counts: readonly { readonly count: number }[]): number =>
  counts.reduce((all, { count }) => all + count, 0);

test('a report of many lines and scopes says how many loans it does not list', async () => {
  const clock = new FakeClock();
  const watchdog = new Watchdog({ level: 'advanced', clock });
  onTestFinished(() => watchdog[Symbol.dispose]());
  const pool = createPool(factory, { name: 'db', max: 200, clock });
  watchdog.watch(pool);
  const lose = async (): Promise<void> => void (await pool.lease()); // lost on many ways
  await times(40, (i) => watchdog.scope(`ended ${letters(i)}`, () => callFrom(i, lose)));
  await times(50, (i) => {
    void watchdog.scope(`running ${letters(i)}`, () => callFrom(i, lose).then(() => HANG));
  });
  const [report, ...others] = await watchdog.check({ forceGc: true });
  expect(others).toEqual([]);
  expect(report).toMatchObject({
    count: 90,
    rules: [
      { rule: 'orphaned', count: 40 },
      { rule: 'abandoned', count: 50 },
    ],
  });
  const { sites = [], scopes = [], unlisted = { stacks: 0, scopes: 0 } } = report ?? {};
  expect(sum(sites.filter(({ depth }) => depth === 0)) + unlisted.stacks).toBe(90);
  expect(sum(scopes) + unlisted.scopes).toBe(90);
});

test('a loan that is not listed and comes back is subtracted', async () => {
  const { clock, watchdog, pool } = watching();
  const leases: Lease<object>[] = [];
  await times(40, (i) => watchdog.scope(letters(i), async () => leases.push(await pool.lease())));
  await clock.advance(2_000);
  for (const lease of leases.splice(-8)) await lease.release();
  const reports = await watchdog.check();
  expect(sum(reports.flatMap(({ scopes }) => scopes))).toBe(32);
  expect(reports.map(({ unlisted }) => unlisted.scopes)).toEqual(reports.map(() => 0));
  for (const lease of leases) await lease.release();
});

test('a leak is told before it is retracted, if its loan comes back while another leak is told', async () => {
  const { clock, watchdog, pool } = watching();
  const leases: Lease<object>[] = [];
  const names = new Map<string, string | undefined>();
  const told: string[] = [];
  watchdog.on('retracted', ({ signature }) => told.push(`${names.get(signature)} came back`));
  watchdog.on('leak', ({ signature, site }) => {
    names.set(signature, site?.functionName);
    told.push(`${site?.functionName} lost`);
    void leases.pop()?.release();
  });
  async function first(): Promise<void> {
    leases.push(await pool.lease());
  }
  async function second(): Promise<void> {
    leases.push(await pool.lease());
  }
  await watchdog.scope('job', first);
  await watchdog.scope('job', second);
  await clock.advance(2_000);
  expect(told).toEqual(['first lost', 'second lost', 'first came back', 'second came back']);
});
