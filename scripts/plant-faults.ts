/**
 * `npm run faults`: plants each fault of `test/<module>/planted-faults.json` in a copy of the project, one at a time, and says
 * which of them the module's tests do not find. A fault that survives is a missing test, or a change that no caller can
 * observe. The list then says why.
 *
 * `-- pool memoize` takes the faults of these modules only, `-- --only TEXT` those whose description contains the text. The
 * exit code is 1 if a fault survives without a reason, or cannot be planted.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ModuleTests } from './faults/module-tests.js';
import {
  describeFault,
  FAULTY_MODULES,
  type FaultyModule,
  type PlantedFault,
  plant,
  readFaults,
} from './faults/planted-fault.js';

const PROJECT = fileURLToPath(new URL('..', import.meta.url));

/** What the tests read. */
const COPIED = [
  'src',
  'test',
  'bench',
  'examples',
  'package.json',
  'tsconfig.json',
  'vitest.config.ts',
];

/** How a fault ended, as it is printed. */
type Outcome = 'found' | 'explained' | 'SURVIVED' | 'NOT PLANTED';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string', default: '' } },
});
const modules = FAULTY_MODULES.filter(
  (module) => positionals.length === 0 || positionals.includes(module),
);
const unknown = positionals.filter((name) => !modules.some((module) => module === name));
if (unknown.length > 0) {
  console.error(`usage: npm run faults -- [${FAULTY_MODULES.join('|')}] [--only TEXT]`);
  process.exit(2);
}

const copy = mkdtempSync(join(tmpdir(), 'tenure-faults-'));
const outcomes: Outcome[] = [];
try {
  for (const name of COPIED) cpSync(join(PROJECT, name), join(copy, name), { recursive: true });
  symlinkSync(join(PROJECT, 'node_modules'), join(copy, 'node_modules'));
  process.chdir(copy); // Call sites in errors are relative to it.
  await using tests = await ModuleTests.open(copy);
  for (const module of modules) outcomes.push(...(await plantAll(module, tests)));
} finally {
  process.chdir(PROJECT);
  rmSync(copy, { recursive: true, force: true });
}
if (outcomes.length === 0) console.error(`no fault contains ${JSON.stringify(values.only)}`);
const areAllFine = outcomes.every((outcome) => outcome === 'found' || outcome === 'explained');
process.exitCode = outcomes.length > 0 && areAllFine ? 0 : 1;

/** Plants the faults of a module, one at a time. */
async function plantAll(module: FaultyModule, tests: ModuleTests): Promise<Outcome[]> {
  const faults = readFaults(PROJECT, module).filter((fault) =>
    describeFault(fault).includes(values.only),
  );
  if (faults.length === 0) return [];
  const sound = await tests.run([...new Set(faults.flatMap((fault) => testsFor(fault, module)))]);
  if (sound.failure !== undefined) {
    throw new Error(`The tests of ${module} fail without a fault: ${sound.failure}`);
  }
  console.log(`${module}: the tests pass without a fault, in ${inSeconds(sound.millis)}`);
  const ended: Outcome[] = [];
  for (const fault of faults) ended.push(await plantOne(fault, module, tests));
  const count = (outcome: Outcome): number => ended.filter((each) => each === outcome).length;
  console.log(
    `${module}: ${faults.length - count('NOT PLANTED')} faults planted, ${count('found')} found, ` +
      `${count('explained')} survived for a stated reason, ${count('SURVIVED')} survived, ` +
      `${count('NOT PLANTED')} not planted`,
  );
  return ended;
}

/** Plants one fault, runs the tests that can find it, and takes it out again. */
async function plantOne(
  fault: PlantedFault,
  module: FaultyModule,
  tests: ModuleTests,
): Promise<Outcome> {
  const path = join(copy, fault.file);
  const sound = readFileSync(path, 'utf8');
  const faulty = await plant(sound, fault, module);
  if (faulty instanceof Error) return report('NOT PLANTED', fault, faulty.message);
  writeFileSync(path, faulty);
  tests.changed(fault.file);
  const { failure, millis } = await tests.run(testsFor(fault, module));
  writeFileSync(path, sound);
  tests.changed(fault.file);
  if (failure !== undefined) return report('found', fault, `in ${inSeconds(millis)} by ${failure}`);
  if (fault.survives === undefined) return report('SURVIVED', fault, `in ${inSeconds(millis)}`);
  return report('explained', fault, fault.survives);
}

function testsFor({ tests }: PlantedFault, module: FaultyModule): readonly string[] {
  return tests ?? [`test/${module}/`];
}

function report(outcome: Outcome, fault: PlantedFault, detail: string): Outcome {
  console.log(`${outcome.padEnd(11)}  ${describeFault(fault)}\n${' '.repeat(13)}${detail}`);
  return outcome;
}

function inSeconds(millis: number): string {
  return `${(millis / 1_000).toFixed(1)} s`;
}
