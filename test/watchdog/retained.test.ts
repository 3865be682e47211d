import { expect, test } from 'vitest';
import { Watchdog, type WatchdogRules, type WatchLevel } from '../../src/watchdog/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';
import { FakeClock } from '../kit/fake-clock.js';

/** A watchdog that expects the death of a session, which `kept` holds. */
function watched(level: WatchLevel = 'simple', rules: WatchdogRules = {}) {
  const clock = new FakeClock();
  const watchdog = new Watchdog({ level, clock, graceMillis: 0, rules });
  const events: string[] = [];
  watchdog.on('leak', ({ rule, certainty }) => events.push(`${rule} ${certainty}`));
  watchdog.on('retracted', () => events.push('retracted'));
  const kept = new Set<object>();
  const expectDeath = (session: object): void => {
    kept.add(session);
    watchdog.expectCollected(session, 'session');
  };
  expectDeath({ id: 7 });
  return { clock, watchdog, events, kept, [Symbol.dispose]: () => watchdog[Symbol.dispose]() };
}

test('an object that V8 has not collected is reported after a full collection of the simulated heap', async () => {
  using t = watched();
  await collectGarbage();
  await t.clock.advance(50_000);
  expect(t.events).toEqual([]);
  await t.clock.advance(20_000);
  expect(t.events).toEqual(['retained probable']);
  expect(t.kept.size).toBe(1);
});

test('an object is not reported before it is as old as the option `minAgeMillis` says', async () => {
  using t = watched('simple', { retained: { minAgeMillis: 200_000 } });
  await collectGarbage();
  await t.clock.advance(199_000);
  expect(t.events).toEqual([]);
  await t.clock.advance(60_000);
  expect(t.events).toEqual(['retained probable']);
  expect(t.kept.size).toBe(1);
});

test('a forced collection is enough, and the report is retracted when the object dies', async () => {
  using t = watched();
  expect(await t.watchdog.check({ forceGc: true })).toMatchObject([
    { rule: 'retained', certainty: 'certain', component: { name: 'session' } },
  ]);
  t.kept.clear();
  expect(await t.watchdog.check({ forceGc: true })).toEqual([]);
  expect(t.events).toEqual(['retained certain', 'retracted']);
});

test('the level counters reports no such object', async () => {
  using t = watched('counters');
  expect(await t.watchdog.check({ forceGc: true })).toEqual([]);
  expect(t.kept.size).toBe(1);
});
