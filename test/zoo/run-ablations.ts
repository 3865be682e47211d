/** Runs the ablations, and says which verdicts change. Exits with 0 only if each rule has a program whose verdict does. */
import { ABLATIONS, flipsOf } from './ablation.js';
import { compiledRunner } from './compiled-runner.js';

await using runner = await compiledRunner();
const rules = new Set(ABLATIONS.map(({ rule }) => rule));
const unseen = new Set(rules);
for (const ablation of ABLATIONS) {
  const flips = await flipsOf(ablation, runner);
  if (flips.length > 0) unseen.delete(ablation.rule);
  console.log(`${ablation.rule.padEnd(15)} ${ablation.reading} := ${ablation.constant}`);
  for (const flip of flips) console.log(`                ${flip}`);
}
console.log(
  `ablation: ${rules.size - unseen.size} of ${rules.size} rules decide otherwise without a counter`,
);
process.exitCode = unseen.size === 0 ? 0 : 1;
