/**
 * The zoo: `npm run zoo [-- --ablate] [--level LEVEL] [--only TEXT]`. Without `--level`, at each level that tracks loans, each in a process
 * of its own, as many at a time as there are cores. Exits with 0 only if each leak was found, and nothing else was told.
 */
import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import type { WatchLevel } from '../../src/watchdog/index.js';
import { ABLATIONS, flipsOf } from './ablation.js';
import { type Outcome, PROGRAMS, ZooRunner } from './zoo.js';

const LEVELS: readonly WatchLevel[] = ['counters', 'sampled', 'simple', 'advanced', 'paranoid'];

/** V8 collects on one thread: there is a process for each core, and most of its time goes into forced collections. */
const NODE_OPTIONS = ['--single-threaded-gc', '--import', 'tsx'];

const { values } = parseArgs({
  options: {
    ablate: { type: 'boolean', default: false },
    level: { type: 'string' },
    only: { type: 'string', default: '' },
  },
});

process.exitCode = await main();

async function main(): Promise<number> {
  if (!values.ablate && values.level === undefined) return runEachLevel();
  await using runner = new ZooRunner();
  return values.ablate ? await ablate(runner) : await runLevel(runner, values.level as WatchLevel);
}

/** Runs each level in a process of its own. Gives 0 if each gave 0. */
async function runEachLevel(): Promise<number> {
  const waiting = [...LEVELS];
  let wrong = 0;
  const runWaiting = async (): Promise<void> => {
    for (let level = waiting.shift(); level !== undefined; level = waiting.shift()) {
      if (!(await passes(level))) wrong++;
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, runWaiting));
  return wrong === 0 ? 0 : 1;
}

/** Prints what the process of a level says. */
function passes(level: WatchLevel): Promise<boolean> {
  const args = [...NODE_OPTIONS, import.meta.filename, '--level', level, '--only', values.only];
  return new Promise((resolve) => {
    execFile(process.execPath, args, (error, output, errors) => {
      process.stdout.write(output);
      process.stderr.write(errors);
      resolve(error === null);
    });
  });
}

async function runLevel(runner: ZooRunner, level: WatchLevel): Promise<number> {
  const outcomes: Outcome[] = [];
  for (const program of PROGRAMS.filter(({ name }) => name.includes(values.only))) {
    if (program.finds !== undefined && level === 'counters' && needsV8(program.finds.rules)) {
      continue;
    }
    outcomes.push(await runner.run(program, level));
  }
  const wrong = outcomes.filter(({ verdict }) => verdict !== 'found' && verdict !== 'quiet');
  for (const { program, verdict, note } of wrong) {
    console.log(`${verdict.padEnd(12)} ${program.name}  ${note}`);
  }
  console.log(summary(level, outcomes));
  return wrong.length === 0 ? 0 : 1;
}

async function ablate(runner: ZooRunner): Promise<number> {
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
