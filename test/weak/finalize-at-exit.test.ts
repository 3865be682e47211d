import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const program = fileURLToPath(new URL('at-exit.ts', import.meta.url));

function ended(how: string): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', program, how], (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), stdout, stderr });
    });
  });
}

const inOrder = [
  'f9 spares f8',
  'f6',
  'f7 calls f6: undefined',
  'f5',
  'f4',
  'f3 error',
  'g1',
  'f1',
];

test.each([
  ['return', 0],
  ['exit', 3],
  ['throw', 1],
])('pending finalizers run newest first when the process ends by: %s', async (how, code) => {
  const child = await ended(how);
  expect(child.stdout.trim().split('\n')).toEqual(inOrder);
  expect(child.stderr).toContain('error ignored in a finalizer at exit: Error: of f3');
  expect(child.code).toBe(code);
});
