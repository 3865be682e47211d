/**
 * Compares `tenure/view` with a live CPython 3.12: `npm run oracle:view -- --seed 1 --count 100000`. `--record` also writes what
 * the test suite compares with: a digest of every observation, and the first 200 observations in full.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { observationDigest } from '../../gc/oracle/observation-digest.js';
import { generateViewProgram } from '../program-generator.js';
import { runViewProgram } from '../run-view-program.js';
import { cpython312, runOnCPython } from './cpython.js';

const BATCH = 5_000;
const RECORDED_IN_FULL = 200;
const PRINTED = 10;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '100000' },
    record: { type: 'boolean', default: false },
  },
});
const [firstSeed, count] = (['seed', 'count'] as const).map((name) => {
  const number = Number(values[name]);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new Error(`--${name} must be an integer ≥ 0, got ${values[name]}`);
}) as [number, number];
const command = cpython312();
if (command === undefined) throw new Error('there is no python3.12 on the path, nor one of pyenv');

const recorded: string[] = [];
const digests: string[] = [];
let differing = 0;
let observations = 0;
let errors = 0;
for (let done = 0; done < count; done += BATCH) {
  const programs = Array.from({ length: Math.min(BATCH, count - done) }, (_, i) =>
    generateViewProgram(firstSeed + done + i),
  );
  for (const [i, expected] of runOnCPython(command, programs).entries()) {
    const program = programs[i] as (typeof programs)[number];
    if (values.record) digests.push(`${program.name} ${observationDigest(expected)}`);
    if (recorded.length < RECORDED_IN_FULL) recorded.push(JSON.stringify(expected));
    observations += expected.obs.length;
    errors += expected.obs.filter((seen) => seen.includes('!')).length;
    const actual = runViewProgram(program);
    const at = expected.obs.findIndex((seen, op) => seen !== actual.obs[op]);
    if (at === -1) continue;
    if (++differing > PRINTED) continue;
    console.log(`${program.name}, op ${at} of ${JSON.stringify(program.ops.slice(0, at + 1))}`);
    console.log(`  CPython ${expected.obs[at]}`);
    console.log(`  tenure  ${actual.obs[at]}`);
  }
}
console.log(
  `${count} programs, ${observations} observations (${errors} of them errors), ${differing} programs differ`,
);
if (values.record) {
  const fixtures = new URL('../fixtures/', import.meta.url);
  writeFileSync(new URL('generated.cpython-digests.txt', fixtures), `${digests.join('\n')}\n`);
  const full = gzipSync(recorded.join('\n'), { level: 9 });
  writeFileSync(new URL('generated.cpython.jsonl.gz', fixtures), full);
}
process.exitCode = differing === 0 ? 0 : 1;
