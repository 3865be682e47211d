/**
 * The lists of planted faults fit the source. A refactoring that changes a quoted line without its fault would disarm the
 * fault, and `npm run faults` runs too long to notice it in time.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import {
  describeFault,
  FAULTY_MODULES,
  plant,
  readFaults,
} from '../scripts/faults/planted-fault.js';

const PROJECT = fileURLToPath(new URL('..', import.meta.url));

const lists = FAULTY_MODULES.map((module) => ({ module, faults: readFaults(PROJECT, module) }));

test.each(lists)('each planted fault of $module fits its file', async ({ module, faults }) => {
  const problems: string[] = [];
  for (const fault of faults) {
    const path = join(PROJECT, fault.file);
    const source = existsSync(path) ? readFileSync(path, 'utf8') : '';
    const planted = await plant(source, fault, module);
    if (planted instanceof Error) problems.push(`${planted.message}: ${describeFault(fault)}`);
  }
  expect(problems).toEqual([]);
});

test.each(lists)('the tests that a fault of $module names exist', ({ faults }) => {
  const tests = new Set(faults.flatMap((fault) => fault.tests ?? []));
  expect([...tests].filter((file) => !existsSync(join(PROJECT, file)))).toEqual([]);
});

test.each(lists)('no fault of $module is in its list twice', ({ faults }) => {
  expect(new Set(faults.map(describeFault)).size).toBe(faults.length);
});
