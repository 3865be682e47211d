import { expect, test } from 'vitest';
import { formatReport, type LeakReport, Watchdog } from '../../src/watchdog/index.js';
import { createRules, RULES } from '../../src/watchdog/rules/rules.js';
import { FakeClock } from '../kit/fake-clock.js';
import { MinimalPool } from './minimal-pool.js';

const names = (rules: readonly { readonly name: string }[]): string[] =>
  rules.map(({ name }) => name);

test('all rules are on by default, each under its own name', () => {
  expect(names(createRules({}, true))).toEqual(Object.keys(RULES));
  expect(names(createRules({ orphaned: true, tenured: {} }, true))).toEqual(Object.keys(RULES));
});

test('a rule is off if it is switched off, or if it needs V8 and the level does without', () => {
  const some = names(createRules({ orphaned: false, tenured: false }, true));
  expect([some.includes('orphaned'), some.includes('tenured')]).toEqual([false, false]);
  expect(some).toContain('abandoned');
  expect(names(createRules({}, false))).not.toContain('abandoned');
});

test('no timer is set if no active rule judges loans while they are out', () => {
  const clock = new FakeClock();
  const judging = createRules({}, true).filter(
    (rule) => rule.judge !== undefined || rule.judgeObjects !== undefined,
  );
  const rules = Object.fromEntries(names(judging).map((name) => [name, false]));
  using watchdog = new Watchdog({ clock, rules });
  watchdog.watch(new MinimalPool());
  expect([judging.length > 0, clock.pendingTimers]).toEqual([true, 0]);
});

test('a suspect whose lease V8 then collects is counted once, as abandoned', async () => {
  const clock = new FakeClock();
  using watchdog = new Watchdog({ level: 'advanced', clock, youngCollectionEvery: 10 });
  const pool = new MinimalPool();
  pool.addResource();
  watchdog.watch(pool);
  let lease: unknown = pool.lease();
  pool.lease().release();
  for (let i = 0; i < 300; i++) pool.requestInVain();
  await clock.advance(61_000);
  expect(await watchdog.check()).toMatchObject([{ rule: 'tenured', count: 1 }]);
  lease = undefined;
  expect(await watchdog.check({ forceGc: true })).toMatchObject([{ rule: 'abandoned', count: 1 }]);
  expect([lease, watchdog.stats().lost]).toEqual([undefined, 1]);
});

test.each([
  ['orphaned', 'its scope has ended', 'reference count 0', false],
  ['abandoned', 'garbage-collected without release', undefined, true],
  ['tenured', 'still out long after', 'promoted while', true],
] as const)(
  'a report of the rule %s is in the words of its file',
  (rule, sentence, evidence, hasScopeLine) => {
    const report: LeakReport = {
      rule,
      certainty: 'certain',
      component: { kind: 'pool', name: 'db' },
      stack: [],
      sites: [],
      scope: 'GET /orders',
      scopes: [{ scope: 'GET /orders', count: 1 }],
      unlisted: { stacks: 0, scopes: 0 },
      count: 1,
      ageMillis: 0,
      firstSeenMillis: 0,
      lastSeenMillis: 0,
      evidence: { v8: 'collected' },
      fix: 'release it',
      signature: '00000000',
    };
    const text = formatReport([report]);
    expect(text).toContain(`  ${sentence}`);
    expect(text.includes('in scope     GET /orders')).toBe(hasScopeLine);
    expect(text).toContain(
      `evidence     ${evidence === undefined ? 'V8' : `simulated: ${evidence}`}`,
    );
  },
);
