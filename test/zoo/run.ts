/**
 * The zoo: `npm run zoo [-- --ablate] [--level LEVEL] [--only TEXT]`. Without `--level`, at each level that tracks loans. Exits with 0
 * only if each leak was found, and nothing else was told.
 */
import { parseArgs } from 'node:util';
import type { WatchLevel } from '../../src/watchdog/index.js';
import { ABLATIONS, flipsOf } from './ablation.js';
import { type Outcome, PROGRAMS, ZooRunner } from './zoo.js';

const LEVELS: readonly WatchLevel[] = ['counters', 'sampled', 'simple', 'advanced', 'paranoid'];

const { values } = parseArgs({
  options: {
    ablate: { type: 'boolean', default: false },
    level: { type: 'string' },
    only: { type: 'string', default: '' },
  },
});

const programs = PROGRAMS.filter(({ name }) => name.includes(values.only));
await using runner = new ZooRunner();
process.exitCode = values.ablate ? await ablate() : await runAll();

async function runAll(): Promise<number> {
  const levels = values.level === undefined ? LEVELS : [values.level as WatchLevel];
  let wrong = 0;
  for (const level of levels) {
    const outcomes: Outcome[] = [];
    for (const program of programs) {
      if (program.finds !== undefined && level === 'counters' && needsV8(program.finds.rules)) {
        continue;
      }
      outcomes.push(await runner.run(program, level));
    }
    for (const { program, verdict, note } of outcomes) {
      if (verdict === 'found' || verdict === 'quiet') continue;
      wrong++;
      console.log(`${verdict.padEnd(12)} ${program.name}  ${note}`);
    }
    console.log(summary(level, outcomes));
  }
  return wrong === 0 ? 0 : 1;
}

async function ablate(): Promise<number> {
  const unseen = new Set(ABLATIONS.map(({ rule }) => rule));
  for (const ablation of ABLATIONS) {
    const flips = await flipsOf(ablation, runner);
    if (flips.length > 0) unseen.delete(ablation.rule);
    console.log(`${ablation.rule.padEnd(15)} ${ablation.reading} := ${ablation.constant}`);
    for (const flip of flips) console.log(`                ${flip}`);
  }
  const rules = new Set(ABLATIONS.map(({ rule }) => rule)).size;
  console.log(
    `ablation: ${rules - unseen.size} of ${rules} rules decide otherwise without a counter`,
  );
  return unseen.size === 0 ? 0 : 1;
}

function needsV8(rules: readonly string[]): boolean {
  return rules.some((rule) => rule === 'abandoned' || rule === 'retained');
}

function summary(level: WatchLevel, outcomes: readonly Outcome[]): string {
  const count = (...verdicts: Outcome['verdict'][]): number =>
    outcomes.filter(({ verdict }) => verdicts.includes(verdict)).length;
  const leaks = outcomes.filter(({ program }) => program.finds !== undefined).length;
  return [
    `zoo: ${count('found')} of ${leaks} leaks found`,
    `${count('false alarm')} false alarms and ${count('noise')} retracted ones in ${outcomes.length} programs`,
    `${count('failed')} failures; level ${level}, Node ${process.versions.node}`,
  ].join(', ');
}
