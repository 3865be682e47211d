/**
 * Runs one of several parts of the programs at one level: `node run-level.js LEVEL PART PARTS TEXT`, with a text that is in the names of
 * those to run. Prints what went wrong, and sends how each went to the parent process.
 */
import type { WatchLevel } from '../../src/watchdog/index.js';
import { compiledRunner } from './compiled-runner.js';
import { isRight, type Result } from './result.js';
import { type Outcome, PROGRAMS } from './zoo.js';

const [level, part, parts, text = ''] = process.argv.slice(2);
const programs = PROGRAMS.filter(({ name }) => name.includes(text));

await using runner = await compiledRunner();
const outcomes: Outcome[] = [];
for (const [i, program] of programs.entries()) {
  if (i % Number(parts) !== Number(part)) continue;
  if (level === 'counters' && needsV8(program.finds?.rules ?? [])) continue;
  outcomes.push(await runner.run(program, level as WatchLevel));
}
for (const { program, verdict, note } of outcomes.filter((outcome) => !isRight(outcome))) {
  console.log(`${verdict.padEnd(12)} ${program.name}  ${note}`);
}
process.send?.(
  outcomes.map(
    ({ program, verdict }): Result => ({ verdict, isLeak: program.finds !== undefined }),
  ),
);

function needsV8(rules: readonly string[]): boolean {
  return rules.some((rule) => rule === 'abandoned' || rule === 'retained');
}
