/** Runs the example of two lists in a cycle as a user runs it, and the same steps in Python. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const EXAMPLE = 'examples/gc/two-lists-in-a-cycle';

/** Output of CPython 3.11.7. */
const PRINTED_BY_CPYTHON = `two lists allocated: 2
linked to each other: 2
both names deleted: 2
collect() with DEBUG_SAVEALL: 2
gc.garbage: 2 lists, each in the other: true
collect() once more, garbage cleared: 2 and 2 saved
collect() without DEBUG_SAVEALL: 2
gc.garbage: 0 lists
`;

function outputOf(command: string, args: readonly string[]): string {
  const { stdout, stderr, error } = spawnSync(command, args, { cwd: PROJECT, encoding: 'utf8' });
  if (error !== undefined) throw error;
  return stdout + stderr;
}

test('the example prints what CPython prints for the same steps', () => {
  expect(outputOf(process.execPath, ['--import', 'tsx', `${EXAMPLE}.ts`])).toBe(PRINTED_BY_CPYTHON);
});

const hasPython = spawnSync('python3.11', ['--version']).status === 0;

test.runIf(hasPython)('and CPython 3.11 still prints that', () => {
  expect(outputOf('python3.11', [`${EXAMPLE}.py`])).toBe(PRINTED_BY_CPYTHON);
});
