/**
 * `npm run faults`: plants each fault of `test/gc/planted-faults.json` in a copy of the simulated heap, one at a time, and prints
 * each fault that no test finds. A surviving fault is a missing test, or a change without an observable effect.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Fault {
  readonly file: string;
  readonly replace: string;
  readonly by: string;
}

const PROJECT = fileURLToPath(new URL('..', import.meta.url));

/** Limit of a test run, in milliseconds: a fault that makes the tests run for ever counts as found. */
const TEST_RUN_LIMIT_MILLIS = 120_000;

const copy = mkdtempSync(join(tmpdir(), 'tenure-faults-'));
for (const name of [
  'src',
  'test',
  'examples',
  'package.json',
  'tsconfig.json',
  'vitest.config.ts',
]) {
  cpSync(join(PROJECT, name), join(copy, name), { recursive: true });
}
symlinkSync(join(PROJECT, 'node_modules'), join(copy, 'node_modules'));

try {
  const faults = JSON.parse(
    readFileSync(join(PROJECT, 'test/gc/planted-faults.json'), 'utf8'),
  ) as Fault[];
  const survivors: Fault[] = [];
  let planted = 0;
  for (const fault of faults) {
    const path = join(copy, fault.file);
    const sound = readFileSync(path, 'utf8');
    if (!sound.includes(fault.replace)) {
      console.log(`NOT PLANTED  ${describe(fault)}`);
      continue;
    }
    planted++;
    writeFileSync(
      path,
      sound.replace(fault.replace, () => fault.by),
    );
    if (await testsPass()) {
      survivors.push(fault);
      console.log(`SURVIVED     ${describe(fault)}`);
    }
    writeFileSync(path, sound);
  }
  console.log(`${planted} faults planted, ${planted - survivors.length} found by the tests`);
} finally {
  rmSync(copy, { recursive: true, force: true });
}

/**
 * Runs the tests on the copy. A run past the limit counts as failed. It ends by killing its process group, because the worker
 * processes of vitest would outlive vitest itself.
 */
async function testsPass(): Promise<boolean> {
  const runner = spawn(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', 'test/gc', '--bail=1', '--reporter=dot'],
    { cwd: copy, stdio: 'ignore', detached: true },
  );
  const limit = setTimeout(
    () => process.kill(-(runner.pid as number), 'SIGKILL'),
    TEST_RUN_LIMIT_MILLIS,
  );
  const [status] = (await once(runner, 'exit')) as [number | null];
  clearTimeout(limit);
  return status === 0;
}

function describe({ file, replace, by }: Fault): string {
  return `${file}: ${JSON.stringify(replace)} → ${JSON.stringify(by)}`;
}
