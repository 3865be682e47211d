import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { type HeapObservation, type HeapProgram, runHeapProgram } from '../../src/gc/index.js';
import { observationDigest } from './oracle/observation-digest.js';
import { generateProgram, PROFILES } from './program-generator.js';

function linesOf(fixture: string): string[] {
  return readFileSync(new URL(`fixtures/${fixture}`, import.meta.url), 'utf8')
    .trim()
    .split('\n');
}

const programs = linesOf('conformance.programs.jsonl').map(
  (line) => JSON.parse(line) as HeapProgram,
);
const observed = linesOf('conformance.cpython.jsonl').map(
  (line) => JSON.parse(line) as HeapObservation,
);

test.each(programs.map((program, i) => [program.name, program, observed[i]] as const))(
  'observes what CPython 3.11 observes: %s',
  (_name, program, expected) => {
    expect(runHeapProgram(program)).toEqual(expected);
  },
);

test('observes what CPython 3.11 observes, operation by operation, in 260 generated programs', () => {
  const file = new URL('fixtures/generated.cpython.jsonl.gz', import.meta.url);
  const stored = gunzipSync(readFileSync(file)).toString().split('\n');
  expect(stored).toHaveLength(260);
  for (const [i, line] of stored.entries()) {
    const expected = JSON.parse(line) as HeapObservation;
    const program = generateProgram(i + 1);
    const actual = runHeapProgram(program);
    expect(actual.name).toBe(expected.name);
    for (const [op, step] of expected.obs.entries()) {
      const where = `${program.name}, op ${op} ${JSON.stringify(program.ops[op])}`;
      if (JSON.stringify(actual.obs[op]) === JSON.stringify(step)) continue;
      expect(actual.obs[op], where).toEqual(step);
    }
  }
});

test('the fixtures are all there', () => {
  expect(programs).toHaveLength(37);
  expect(observed.map(({ name }) => name)).toEqual(programs.map(({ name }) => name));
});

test('observes what CPython 3.11 observes in 2,600 generated programs of all 13 profiles', () => {
  const digests = linesOf('generated.cpython-digests.txt');
  expect(digests).toHaveLength(2_600);
  const differing: string[] = [];
  const profiles = new Set<string>();
  for (const [i, line] of digests.entries()) {
    const program = generateProgram(i + 1);
    const [name, digest] = line.split(' ');
    expect(program.name).toBe(name);
    profiles.add(program.name.split('-')[0] as string);
    if (observationDigest(runHeapProgram(program)) !== digest) differing.push(program.name);
  }
  expect(differing, 'see `npm run oracle` for the observations').toEqual([]);
  expect(profiles).toEqual(new Set(Object.keys(PROFILES)));
});
