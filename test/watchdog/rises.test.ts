/** Numbers of live objects that rise, and what the rule growth makes of them. One minute passes between two counts. */
import { expect, test } from 'vitest';
import { BaseHeap } from '../../src/gc/base-heap.js';
import { makeSteppedCollector } from '../../src/gc/collectors/stepped-collector.js';
import type { Handle } from '../../src/gc/memory/handle.js';
import { formatReport, Watchdog } from '../../src/watchdog/index.js';
import { PlainSource } from '../../src/watchdog/plain-source.js';
import { Populations } from '../../src/watchdog/populations.js';
import { READINGS } from '../../src/watchdog/readings.js';
import { createRules } from '../../src/watchdog/rules/rules.js';
import { FakeClock } from '../kit/fake-clock.js';

const NEVER = Number.POSITIVE_INFINITY;

/** A population, of which as many members come and go in each minute as a test says. */
class Members {
  readonly #heap = new BaseHeap({ census: true }, makeSteppedCollector);
  readonly #populations = new Populations(this.#heap, () => this.#now);
  readonly #population;
  readonly #rules = createRules({}, true, READINGS).filter(({ name }) => name === 'growth');
  readonly #live: Handle[] = [];
  readonly #every: number;
  #now = 0;
  #minute = 0;
  /** The first minute in which the rule tells of them. */
  toldAt = NEVER;
  /** Whether it tells of them now. */
  isTold = false;
  /** How often that has changed. */
  changes = 0;

  /** They are counted in each `every`th minute. */
  constructor(kind: string, isWeak = false, every = 1) {
    this.#every = every;
    const component = new PlainSource(kind, 'site');
    const countsOld = kind === 'scope';
    this.#population = this.#populations.of({ kind, site: 'site', isWeak, countsOld, component });
  }

  get count(): number {
    return this.#live.length;
  }

  /** In each of these minutes, `born` members come and the oldest `died` go. */
  pass(minutes: number, born: number, died = 0): this {
    for (let minute = 0; minute < minutes; minute++) {
      for (let i = 0; i < born; i++) {
        this.#live.push(this.#heap.allocOf(this.#population.classId));
        this.#population.grewOld();
      }
      for (const handle of this.#live.splice(0, died)) this.#drop(handle);
      this.#count();
    }
    return this;
  }

  clear(): void {
    for (const handle of this.#live.splice(0)) this.#drop(handle);
  }

  #drop(handle: Handle): void {
    this.#heap.drop(handle);
    this.#population.oldEnded();
  }

  #count(): void {
    this.#now += 60_000;
    this.#minute++;
    if (this.#minute % this.#every > 0) return;
    this.#populations.count();
    if (this.#population.isWeak) this.#populations.deathsTold();
    for (const rule of this.#rules) {
      rule.judgeObjects?.({
        now: this.#now,
        populations: this.#populations,
        expectations: [],
        isV8Known: true,
        isForced: false,
        tell: (certainty) => {
          const isTold = certainty !== undefined;
          if (isTold !== this.isTold) this.changes++;
          this.isTold = isTold;
          if (this.isTold) this.toldAt = Math.min(this.toldAt, this.#minute);
        },
      });
    }
  }
}

/** Random numbers from 0 to 1, the same for the same seed. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** How many come in a minute, if `mean` do on average. */
function poisson(random: () => number, mean: number): number {
  let product = random();
  let count = 0;
  for (; product > Math.exp(-mean); count++) product *= random();
  return count;
}

test('entries that are cleared every ten minutes come back to an earlier peak', () => {
  const entries = new Members('entry');
  for (let round = 0; round < 8; round++) {
    entries.pass(10, 50);
    entries.clear();
  }
  expect(entries.toldAt).toBe(NEVER);
});

test.each([
  [1, 720],
  [1, 1_440],
  [60, 1_440],
])(
  'entries that come every %i minutes, and are cleared every %i, are told on the first day only',
  (every, clearEvery) => {
    const entries = new Members('entry');
    for (let minute = 0; minute < 6 * 1_440; minute++) {
      if (minute % clearEvery === 0) entries.clear();
      entries.pass(1, minute % every === 0 ? 2 * every : 0);
      if (minute > clearEvery) expect([minute, entries.isTold]).toEqual([minute, false]);
    }
  },
);

test('entries that are cleared once, and pass their earlier peak, are told', () => {
  const entries = new Members('entry').pass(10, 50);
  entries.clear();
  expect(entries.pass(20, 50).toldAt).toBeLessThanOrEqual(25);
});

test('a number that falls for an hour and rises for an hour is no growth', () => {
  const entries = new Members('entry').pass(1, 800);
  for (let wave = 0; wave < 2; wave++) entries.pass(60, 5, 15).pass(60, 15, 5);
  expect(entries.toldAt).toBe(NEVER);
});

test('a wave on top of a leak is told when it passes the wave before', () => {
  const entries = new Members('entry');
  for (let wave = 0; wave < 4; wave++) entries.pass(5, 60).pass(5, 0, 30);
  expect(entries.toldAt).toBeLessThanOrEqual(36);
});

test('components that become more by two a minute up to a hundred are no growth', () => {
  expect(new Members('pool').pass(50, 2).pass(60, 0).toldAt).toBe(NEVER);
});

test.each([
  ['pool', 10, 15],
  ['pool', 4, 45],
  ['listener', 10, 15],
  ['listener', 4, 45],
  ['entry', 10, 15],
  ['entry', 4, 45],
] as const)('%s: %s more in each minute are told in %s minutes', (kind, born, minutes) => {
  expect(new Members(kind).pass(60, born).toldAt).toBeLessThanOrEqual(minutes);
});

test('weakly held values that live for half an hour rise for half an hour, and that is no growth', () => {
  for (const born of [5, 15, 30]) {
    expect(new Members('weak-target', true).pass(30, born).pass(90, born, born).toldAt).toBe(NEVER);
  }
});

test.each([
  [50, 15],
  [15, 45],
  [5, 45],
])('weakly held values: %s more in each minute are told in %s minutes', (born, minutes) => {
  expect(new Members('weak-target', true).pass(60, born).toldAt).toBeLessThanOrEqual(minutes);
});

test('a rise that has just begun is told when it has lasted, however long the number was level', () => {
  const entries = new Members('entry').pass(1, 200).pass(46, 0).pass(13, 50);
  expect(entries.toldAt).toBeGreaterThanOrEqual(47 + 8);
  expect(entries.toldAt).toBeLessThanOrEqual(47 + 13);
});

test('twice as many come, and leave half an hour later: that is more traffic', () => {
  const members = new Members('entry').pass(1, 300).pass(30, 10, 10).pass(15, 20, 10);
  expect([members.count, members.toldAt]).toEqual([450, NEVER]);
});

test('twice as many scopes that run for long come: their number follows for half an hour', () => {
  const scopes = new Members('scope').pass(1, 300).pass(30, 10, 10).pass(25, 20, 10);
  expect([scopes.count, scopes.toldAt]).toEqual([550, NEVER]);
});

test('thrice the traffic does not hide for long that a fifth of the entries stay', () => {
  const entries = new Members('entry').pass(1, 300).pass(24, 10, 8).pass(30, 30, 24);
  expect(entries.toldAt).toBeLessThanOrEqual(55);
});

test('a cache that fills up with known keys does not hide the new ones of each minute', () => {
  expect(new Members('entry').pass(10, 60).pass(35, 12).isTold).toBe(true);
});

test('weakly held values of which a third stays are told, however seldom V8 collects', () => {
  const values = new Members('weak-target', true, 5).pass(10, 20).pass(35, 20, 14);
  expect(values.isTold).toBe(true);
});

test.each([4, 5, 7, 10])(
  'objects that come in bursts every %i minutes are told without a break once the pauses are known',
  (every) => {
    for (const kind of ['entry', 'scope', 'listener']) {
      const members = new Members(kind);
      for (let burst = 0; burst < 5; burst++) members.pass(1, 30 * every).pass(every - 1, 0);
      for (let minute = 5 * every; minute < 150; minute++) {
        members.pass(1, minute % every === 0 ? 30 * every : 0);
        if (minute >= 60) expect([minute, members.isTold]).toEqual([minute, true]);
      }
    }
  },
);

test.each([
  [15, 1],
  [20, 1.5],
  [30, 4],
  [60, 6],
  [120, 13],
  [240, 30],
  [1_440, 100],
])(
  'a job that leaves 100 objects each %i minutes is told without a break from hour %d on',
  (every, hours) => {
    for (const kind of ['entry', 'pool', 'listener']) {
      const members = new Members(kind);
      for (let minute = 0; minute < 2 * hours * 60; minute++) {
        members.pass(1, minute % every === every - 1 ? 100 : 0);
        if (minute >= hours * 60) expect([minute, members.isTold]).toEqual([minute, true]);
      }
      expect(members.changes).toBeLessThanOrEqual(3);
    }
  },
);

test.each([
  [5, 30],
  [12, 30],
  [30, 60],
  [45, 60],
  [60, 120],
])(
  'a job that takes %i minutes each %i minutes, and leaks all the time, is told after ten hours',
  (takes, every) => {
    const entries = new Members('entry');
    for (let minute = 0; minute < 600; minute++) entries.pass(1, minute % every < takes ? 20 : 0);
    expect(entries.changes).toBeLessThanOrEqual(9);
    for (let minute = 600; minute < 1_200; minute++) {
      entries.pass(1, minute % every < takes ? 20 : 0);
      expect([minute, entries.isTold]).toEqual([minute, true]);
    }
  },
);

test('a number that rises steadily for ten hours, by a third, may follow the load of the day', () => {
  const entries = new Members('entry').pass(1, 450);
  for (let step = 0; step < 150; step++) entries.pass(3, 0).pass(1, 1);
  expect(entries.pass(300, 0).toldAt).toBe(NEVER);
});

test.each([
  ['entry', 0, 6],
  ['pool', 0, 12],
  ['listener', 300, 12],
])(
  '%s: %i at first, and %i more in each hour: they are told after a day',
  (kind, first, perHour) => {
    const members = new Members(kind).pass(1, first);
    for (let object = 0; object < 48 * perHour; object++) {
      members.pass(1, 1).pass(60 / perHour - 1, 0);
      if (object > 28 * perHour) expect(members.isTold).toBe(true);
    }
    expect(members.changes).toBe(1);
  },
);

test.each([120, 480])(
  'objects that live for %i minutes, and follow the load of the day, are not told again and again',
  (lifetime) => {
    const members = new Members('pool');
    const births: number[] = [];
    let due = 0;
    for (let minute = 0; minute < 4 * 1_440; minute++) {
      due += 2 + 1.8 * Math.sin((minute / 1_440 - 0.25) * 2 * Math.PI);
      births.push(Math.floor(due));
      due -= Math.floor(due);
      members.pass(1, births[minute] ?? 0, births[minute - lifetime] ?? 0);
    }
    expect(members.changes).toBeLessThanOrEqual(4);
    expect(members.isTold).toBe(false);
  },
);

test('a leak among entries that come and go at random is told, and does not come and go itself', () => {
  const entries = new Members('entry');
  const random = seeded(1);
  const dies: number[] = [];
  for (let minute = 0; minute < 4_320; minute++) {
    const healthy = poisson(random, 10);
    for (let i = 0; i < healthy; i++) {
      const at = minute + 1 + Math.round(-30 * Math.log(1 - random()));
      dies[at] = (dies[at] ?? 0) + 1;
    }
    entries.pass(1, healthy + poisson(random, 1), dies[minute] ?? 0);
  }
  expect(entries.changes).toBeLessThanOrEqual(40);
  expect(entries.toldAt).toBeLessThanOrEqual(2_880);
});

test('a job of each hour, of whose objects half die within the hour, is told without a break after a day', () => {
  const entries = new Members('entry');
  const random = seeded(3);
  const dies: number[] = [];
  for (let minute = 0; minute < 3 * 1_440; minute++) {
    const isRun = minute % 60 === 0;
    for (let i = 0; isRun && i < 100; i++) {
      const at = minute + 1 + Math.round(-20 * Math.log(1 - random()));
      dies[at] = (dies[at] ?? 0) + 1;
    }
    entries.pass(1, isRun ? 200 : 0, dies[minute] ?? 0);
    if (minute > 26 * 60) expect([minute, entries.isTold]).toEqual([minute, true]);
  }
  expect(entries.changes).toBeLessThanOrEqual(3);
});

test('weakly held values that follow the load of the day are told seldom, although V8 collects each 15 minutes', () => {
  const values = new Members('weak-target', true, 15);
  const random = seeded(4);
  const dies: number[] = [];
  let told = 0;
  for (let minute = 0; minute < 5 * 1_440; minute++) {
    const born = poisson(random, 4.5 + 3.5 * Math.sin((minute / 1_440 - 0.25) * 2 * Math.PI));
    for (let i = 0; i < born; i++) {
      const at = minute + 1 + Math.round(-120 * Math.log(1 - random()));
      dies[at] = (dies[at] ?? 0) + 1;
    }
    if (values.pass(1, born, dies[minute] ?? 0).isTold) told++;
  }
  expect(told).toBeLessThanOrEqual(0.01 * 5 * 1_440);
});

test('a fast leak is told soon, although the number before it was close to the limits again and again', () => {
  const entries = new Members('entry');
  const random = seeded(2);
  const dies: number[] = [];
  const pass = (minute: number, leaked: number): void => {
    const healthy = poisson(random, 2 + 1.8 * Math.sin((minute / 720) * Math.PI));
    for (let i = 0; i < healthy; i++) {
      const at = minute + 1 + Math.round(-480 * Math.log(1 - random()));
      dies[at] = (dies[at] ?? 0) + 1;
    }
    entries.pass(1, healthy + leaked, dies[minute] ?? 0);
  };
  for (let minute = 0; minute < 4_320; minute++) pass(minute, 0);
  expect(entries.changes).toBeGreaterThan(4);
  for (let minute = 4_320; minute < 4_350; minute++) pass(minute, 100);
  expect(entries.isTold).toBe(true);
});

test('a report has the counts of the scale on which the number rises', async () => {
  const clock = new FakeClock();
  using watchdog = new Watchdog({ clock });
  for (let hour = 0; hour < 7; hour++) {
    for (let i = 0; i < 50; i++) watchdog.openScope('job export');
    for (let minute = 0; minute < 60; minute++) await clock.advance(60_000);
  }
  const [report, ...others] = await watchdog.check();
  expect(others).toEqual([]);
  expect(report?.evidence).toMatchObject({ countsEveryMillis: 300_000 });
  const { counts = [] } = report?.evidence ?? {};
  expect([...new Set(counts)]).toEqual([50, 100, 150, 200, 250, 300, 350]);
  expect(counts.filter((count) => count === 300)).toHaveLength(12);
  expect(formatReport(report ? [report] : [])).toMatch(
    /heap {9}live (350, ){11}350: one count in 5 minutes/,
  );
});

test('objects that came in bursts are told no more when the bursts have ended', () => {
  const entries = new Members('entry');
  for (let burst = 0; burst < 10; burst++) entries.pass(1, 300).pass(9, 0);
  expect(entries.isTold).toBe(true);
  expect(entries.pass(10, 0).isTold).toBe(false);
});

test.each(['entry', 'scope', 'pool', 'listener'])(
  '%s: a leak that goes on at its pace for two days is told all the time, and no more when it ends',
  (kind) => {
    const members = new Members(kind).pass(60, 10);
    for (let minute = 60; minute < 2_880; minute++) {
      expect([minute, members.pass(1, 10).isTold]).toEqual([minute, true]);
    }
    expect(members.pass(30, 0).isTold).toBe(false);
  },
);

test('a number that is level but for a few objects is no growth, although it has ever new peaks', () => {
  const entries = new Members('entry').pass(1, 400);
  let seed = 1;
  for (let minute = 0; minute < 600; minute++) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    const wanted = 400 + Math.floor(minute / 20) + ((seed >>> 16) % 60);
    const more = wanted - entries.count;
    entries.pass(1, Math.max(more, 0), Math.max(-more, 0));
  }
  expect(entries.toldAt).toBe(NEVER);
});

test('twice as many come, and none leaves: that is no traffic', () => {
  expect(new Members('entry').pass(30, 10).pass(25, 20).toldAt).toBeLessThanOrEqual(20);
});

test('scopes that run for less than five minutes do not count, longer ones do', async () => {
  const clock = new FakeClock();
  using watchdog = new Watchdog({ clock });
  const open: { readonly until: number; end(): void }[] = [];
  for (let minute = 0; minute < 30; minute++) {
    for (let i = 0; i < 40; i++) {
      const scope = watchdog.openScope('GET /poll');
      open.push({ until: minute + Math.min(1 + minute / 6, 4), end: () => scope.end() });
    }
    for (const scope of open) if (scope.until <= minute) scope.end();
    await clock.advance(60_000);
    expect(await watchdog.check()).toEqual([]);
  }
  for (let minute = 0; minute < 16; minute++) {
    for (let i = 0; i < 20; i++) watchdog.openScope('GET /hangs').rename('GET /lost');
    await clock.advance(60_000);
  }
  const [report, ...others] = await watchdog.check();
  expect(others).toEqual([]);
  expect(report).toMatchObject({ rule: 'growth', component: { name: 'GET /lost' }, count: 320 });
  expect(report?.evidence.counts?.at(-1)).toBeLessThanOrEqual(320 - 4 * 20);
});

test('scopes that run for ten minutes come and go', async () => {
  const clock = new FakeClock();
  using watchdog = new Watchdog({ clock });
  const scopes: Disposable[] = [];
  for (let minute = 0; minute < 40; minute++) {
    for (let i = 0; i < 20; i++) scopes.push(watchdog.openScope('GET /poll'));
    for (const scope of scopes.splice(0, scopes.length - 200)) scope[Symbol.dispose]();
    await clock.advance(60_000);
    expect(await watchdog.check()).toEqual([]);
  }
});

test('a scope that has run for long counts under its new name, and no more when it ends', async () => {
  const clock = new FakeClock();
  using watchdog = new Watchdog({ clock });
  const scopes: Disposable[] = [];
  for (let minute = 0; minute < 22; minute++) {
    for (let i = 0; i < 20; i++) {
      const scope = watchdog.openScope('request');
      scopes.push(scope);
      clock.setTimer(() => scope.rename('GET /feed'), 6 * 60_000);
    }
    await clock.advance(60_000);
  }
  expect(await watchdog.check()).toMatchObject([{ component: { name: 'GET /feed' } }]);
  for (const scope of scopes) scope[Symbol.dispose]();
  await clock.advance(120_000);
  expect(await watchdog.check()).toEqual([]);
});
