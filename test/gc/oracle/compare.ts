/**
 * Compares the simulated heap with a live CPython 3.11: `npm run oracle -- --seed 1 --count 10000`, optionally with
 * `--profile NAME` and `--ops N`. With `--record`, writes the digests that the test-suite compares with instead.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { runHeapProgram } from '../../../src/gc/index.js';
import { generateProgram } from '../program-generator.js';
import { runOnCPython } from './cpython.js';
import { observationDigest } from './observation-digest.js';

const BATCH = 1_000;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '10000' },
    ops: { type: 'string', default: '120' },
    profile: { type: 'string' },
    record: { type: 'boolean', default: false },
  },
});
const firstSeed = Number(values.seed);
const count = Number(values.count);

const digests: string[] = [];
let differing = 0;
let observations = 0;
for (let done = 0; done < count; done += BATCH) {
  const programs = Array.from({ length: Math.min(BATCH, count - done) }, (_, i) =>
    generateProgram(firstSeed + done + i, values.profile, Number(values.ops)),
  );
  for (const [i, expected] of runOnCPython(programs).entries()) {
    const program = programs[i] as (typeof programs)[number];
    digests.push(`${program.name} ${observationDigest(expected)}`);
    observations += expected.obs.length;
    const actual = runHeapProgram(program);
    if (JSON.stringify(actual) === JSON.stringify(expected)) continue;
    differing++;
    const at = expected.obs.findIndex(
      (step, op) => JSON.stringify(step) !== JSON.stringify(actual.obs[op]),
    );
    console.log(`${program.name}, op ${at} ${JSON.stringify(program.ops[at])}`);
    console.log(`  CPython   ${JSON.stringify(expected.obs[at])}`);
    console.log(`  simulated ${JSON.stringify(actual.obs[at])}`);
  }
}
console.log(`${count} programs, ${observations} observations, ${differing} programs differ`);
if (values.record) {
  const file = new URL('../fixtures/generated.cpython-digests.txt', import.meta.url);
  writeFileSync(file, `${digests.join('\n')}\n`);
}
process.exitCode = differing === 0 ? 0 : 1;
