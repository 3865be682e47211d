import { afterAll, beforeAll, expect, test } from 'vitest';
import { READINGS } from '../../src/watchdog/readings.js';
import { RULES } from '../../src/watchdog/rules/rules.js';
import { ABLATIONS, flipsOf } from './ablation.js';
import { leakLines } from './leak-lines.js';
import { ZooRunner } from './zoo.js';

const runner = new ZooRunner(await leakLines());
beforeAll(() => runner.startPostgres(), 60_000);
afterAll(() => runner[Symbol.asyncDispose]());

test.each(ABLATIONS.map((ablation) => [ablation.rule, ablation.reading, ablation] as const))(
  'the rule %s decides otherwise if %s is a constant',
  { timeout: 60_000 },
  async (_rule, _reading, ablation) => {
    expect(await flipsOf(ablation, runner)).toHaveLength(ablation.programs.length);
  },
);

test('each rule and each reading has an ablation', () => {
  const rules = new Set(ABLATIONS.map(({ rule }) => rule));
  const readings = new Set(ABLATIONS.map(({ reading }) => reading));
  expect([...rules].sort()).toEqual(Object.keys(RULES).sort());
  expect([...readings].sort()).toEqual(Object.keys(READINGS).sort());
});
