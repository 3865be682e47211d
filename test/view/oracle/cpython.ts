/** Runs view programs on CPython 3.12's own memoryview. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ViewObservation, ViewProgram } from '../view-program.js';

const ORACLE = fileURLToPath(new URL('oracle.py', import.meta.url));

/** Gives the command that runs CPython 3.12: on the path, or installed by pyenv; `undefined` without one. */
export function cpython312(): string | undefined {
  const versions = join(homedir(), '.pyenv', 'versions');
  const installed = existsSync(versions)
    ? readdirSync(versions)
        .filter((version) => version.startsWith('3.12.'))
        .map((version) => join(versions, version, 'bin', 'python3.12'))
    : [];
  return ['python3.12', ...installed].find(
    (command) => spawnSync(command, ['--version']).status === 0,
  );
}

/** Gives what CPython 3.12 observes, program by program. */
export function runOnCPython(command: string, programs: readonly ViewProgram[]): ViewObservation[] {
  const { status, stdout, stderr, error } = spawnSync(command, [ORACLE], {
    input: programs.map((program) => JSON.stringify(program)).join('\n'),
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
  });
  // A program that ends early closes its input: its own words say more than the broken pipe.
  if (stderr) throw new Error(`the oracle failed: ${stderr}`, { cause: error });
  if (error !== undefined) throw new Error(`${command} could not be started`, { cause: error });
  if (status !== 0) throw new Error(`the oracle ended with ${status}`);
  const lines = stdout.trim().split('\n');
  return lines.map((line) => JSON.parse(line) as ViewObservation);
}
