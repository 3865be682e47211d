import { readFileSync } from 'node:fs';
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

test('the fixtures are all there', () => {
  expect(programs).toHaveLength(36);
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
