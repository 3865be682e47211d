/** Runs view programs on CPython 3.12's own memoryview. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { runOnPython } from '../../kit/python-oracle.js';
import type { ViewObservation, ViewProgram } from '../view-program.js';

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
  return runOnPython(command, new URL('oracle.py', import.meta.url), programs);
}
