/**
 * `npm run faults`: plants each fault of `test/gc/planted-faults.json` in a copy of the simulated heap, one at a time, and tells
 * which of them the tests let live. A surviving fault is a missing test, or a change that nobody can observe.
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

/** A fault that makes the tests run on for ever is found too. */
const PATIENCE_MILLIS = 120_000;

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

/** Tests run in processes of their own, which would outlive a runner that is killed: the whole group is. */
async function testsPass(): Promise<boolean> {
  const runner = spawn(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', 'test/gc', '--bail=1', '--reporter=dot'],
    { cwd: copy, stdio: 'ignore', detached: true },
  );
  const patience = setTimeout(
    () => process.kill(-(runner.pid as number), 'SIGKILL'),
    PATIENCE_MILLIS,
  );
  const [status] = (await once(runner, 'exit')) as [number | null];
  clearTimeout(patience);
  return status === 0;
}

function describe({ file, replace, by }: Fault): string {
  return `${file}: ${JSON.stringify(replace)} → ${JSON.stringify(by)}`;
}
