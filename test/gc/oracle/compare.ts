/**
 * Compares the simulated heap with a live CPython 3.11: `npm run oracle -- --seed 1 --count 10000`. The options
 * `--profile NAME` and `--ops N` choose other programs. `--record` also writes the fixtures of the test suite: a digest
 * of every observation, and the first 260 observations in full.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { runHeapProgram } from '../../../src/gc/index.js';
import { generateProgram, PROFILES } from '../program-generator.js';
import { runOnCPython } from './cpython.js';
import { observationDigest } from './observation-digest.js';

const BATCH = 1_000;

/** Number of observations that are stored in full: 20 of each profile. */
const RECORDED_IN_FULL = 260;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '10000' },
    ops: { type: 'string', default: '120' },
    profile: { type: 'string' },
    record: { type: 'boolean', default: false },
  },
});
const [firstSeed, count, ops] = (['seed', 'count', 'ops'] as const).map((name) => {
  const number = Number(values[name]);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new Error(`--${name} must be an integer ≥ 0, got ${values[name]}`);
}) as [number, number, number];
if (values.profile !== undefined && !Object.hasOwn(PROFILES, values.profile)) {
  throw new Error(`--profile must be one of ${Object.keys(PROFILES).join(', ')}`);
}

const recorded: string[] = [];
const digests: string[] = [];
let differing = 0;
let observations = 0;
for (let done = 0; done < count; done += BATCH) {
  const programs = Array.from({ length: Math.min(BATCH, count - done) }, (_, i) =>
    generateProgram(firstSeed + done + i, values.profile, ops),
  );
  for (const [i, expected] of runOnCPython(programs).entries()) {
    const program = programs[i] as (typeof programs)[number];
    digests.push(`${program.name} ${observationDigest(expected)}`);
    if (recorded.length < RECORDED_IN_FULL) recorded.push(JSON.stringify(expected));
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
  const fixtures = new URL('../fixtures/', import.meta.url);
  writeFileSync(new URL('generated.cpython-digests.txt', fixtures), `${digests.join('\n')}\n`);
  const full = gzipSync(recorded.join('\n'), { level: 9 });
  writeFileSync(new URL('generated.cpython.jsonl.gz', fixtures), full);
}
process.exitCode = differing === 0 ? 0 : 1;
