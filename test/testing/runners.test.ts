/** The command line of each test runner, on fixtures that use the package as it is installed. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type InstalledPackage,
  installPackedPackage,
  PACKAGE_PATIENCE_MILLIS,
  PROJECT,
} from '../kit/packed-package.js';

const FIXTURES = fileURLToPath(new URL('fixtures', import.meta.url));

let installed: InstalledPackage;

beforeAll(async () => {
  installed = await installPackedPackage();
  cpSync(FIXTURES, installed.folder, { recursive: true });
  mkdirSync(join(installed.folder, 'node_modules/@jest'), { recursive: true });
  for (const name of ['vitest', 'jest', '@jest/globals']) {
    symlinkSync(join(PROJECT, 'node_modules', name), join(installed.folder, 'node_modules', name));
  }
}, PACKAGE_PATIENCE_MILLIS);

afterAll(() => installed[Symbol.dispose]());

interface Run {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
}

function node(...args: string[]): Run {
  const { NODE_OPTIONS: _, VITEST: _vitest, ...env } = process.env;
  return spawnSync(process.execPath, args, {
    cwd: installed.folder,
    encoding: 'utf8',
    timeout: PACKAGE_PATIENCE_MILLIS,
    env: { ...env, NO_COLOR: '1', NODE_TEST_CONTEXT: undefined },
  });
}

/** What Vitest and Jest print with `--json`. */
interface JsonReport {
  readonly testResults: readonly {
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly title: string;
      readonly status: string;
      readonly failureMessages?: readonly string[] | null;
    }[];
  }[];
}

/** Where `lose` leaks. */
const line =
  1 +
  readFileSync(join(FIXTURES, 'pool.mjs'), 'utf8')
    .split('\n')
    .findIndex((text) => text.includes('// the leaking line'));
const LEAK = 'LeaksFoundError';

/** Gives the outcome of each test: its status, or why it has failed. */
function outcomes({ stdout, stderr }: Run, file?: string): Map<string, string> {
  let report: JsonReport;
  try {
    report = JSON.parse(
      file === undefined ? stdout : readFileSync(join(installed.folder, file), 'utf8'),
    ) as JsonReport;
  } catch (error) {
    throw new Error(`no report:\n${stdout}\n${stderr}`, { cause: error });
  }
  const found = new Map<string, string>();
  for (const { assertionResults, message } of report.testResults) {
    if (assertionResults.length === 0) throw new Error(message);
    for (const { title, status, failureMessages } of assertionResults) {
      const failures = (failureMessages ?? []).map(kindOf);
      found.set(title, status === 'failed' ? failures.join(' + ') : status);
    }
  }
  return found;
}

/** Says by what a test has failed. */
function kindOf(message: string): string {
  if (message.includes(LEAK)) {
    return message.includes(`pool.mjs:${line}`) ? 'leak at the line' : `leak:\n${message}`;
  }
  if (/timed out|exceeded timeout|STACK_TRACE_ERROR/i.test(message)) return 'timeout'; // Vitest's word for it in JSON.
  return /its own error|expected 1 to be 2/.test(message) ? 'own error' : message;
}

function concurrent(count: number, leaking: number): [string, string][] {
  return Array.from({ length: count }, (_, i) => [
    `concurrent ${i}`,
    i === leaking ? 'leak' : 'passed',
  ]);
}

test(
  'vitest: one line of setup fails the very tests that leak',
  () => {
    const vitest = join(PROJECT, 'node_modules/vitest/vitest.mjs');
    const report = 'vitest-report.json';
    const run = node(
      vitest,
      'run',
      '--config',
      'vitest/vitest.config.mjs',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    );
    expect(Object.fromEntries(outcomes(run, report))).toEqual({
      clean: 'passed',
      'has the matcher': 'passed',
      leaks: 'leak at the line',
      'releases 20 ms late': 'passed',
      'fails and leaks': 'own error',
      'fails in an assertion and leaks': 'own error',
      'is to fail, and leaks': 'passed',
      'each 1': 'passed',
      'each 2': 'leak at the line',
      'each 3': 'passed',
      'for 1': 'leak at the line',
      'for 2': 'passed',
      ...Object.fromEntries(concurrent(20, 7)),
      'concurrent 7': expect.stringContaining('acquired at'),
      'leaks in its first try only': 'passed',
      'times out and leaks': 'timeout',
      'leaks under fake timers': 'leak at the line',
      'is skipped': 'skipped',
      'a hook releases': 'passed',
      'a hook leaks': expect.stringContaining('acquired at'),
      'a fixture releases': 'passed',
    });
    expect(run.stderr).toContain('The failed test "fails and leaks" has left loans out');
    expect(run.stderr).toContain('The failed test "times out and leaks" has left loans out');
    expect(run.stderr).not.toContain('The failed test "leaks"');
  },
  PACKAGE_PATIENCE_MILLIS,
);

test(
  'vitest: a wrapped test function keeps its members and its fixtures',
  () => {
    const vitest = join(PROJECT, 'node_modules/vitest/vitest.mjs');
    const args = ['run', '--config', 'vitest/wrapped.config.mjs', '--reporter=json'];
    const run = node(vitest, ...args);
    expect(Object.fromEntries(outcomes(run))).toEqual({
      'wrapped: clean': 'passed',
      'wrapped: leaks': 'leak at the line',
      'wrapped: concurrent and clean': 'passed',
      'wrapped: concurrent and leaks': 'leak at the line',
      'wrapped: each 1': 'passed',
      'wrapped: each 2': 'leak at the line',
      'wrapped: gets its fixture': 'passed',
      'wrapped: gets its fixture, and leaks': 'leak at the line',
      'wrapped: is skipped': 'skipped',
    });
  },
  PACKAGE_PATIENCE_MILLIS,
);

test(
  'jest: one line of setup fails the very tests that leak',
  () => {
    const jest = join(PROJECT, 'node_modules/jest/bin/jest.js');
    const run = node(
      '--experimental-vm-modules',
      '--no-warnings',
      jest,
      '--rootDir',
      '.',
      '--config',
      'jest/jest.config.mjs',
      '--json',
    );
    expect(Object.fromEntries(outcomes(run))).toEqual({
      clean: 'passed',
      'has the matcher': 'passed',
      leaks: 'leak at the line',
      'releases 20 ms late': 'passed',
      'fails and leaks': 'own error',
      'is to fail, and leaks': 'passed',
      'each 1': 'passed',
      'each 2': 'leak at the line',
      'each 3': 'passed',
      'each with a function': 'passed',
      'template 1': 'leak at the line',
      'template 2': 'passed',
      ...Object.fromEntries(concurrent(10, 7)),
      'concurrent 7': expect.stringContaining('acquired at'),
      'a callback, clean': 'passed',
      'a callback, and leaks': 'leak at the line',
      'a callback that fails': 'own error',
      'times out and leaks': 'timeout',
      'leaks under fake timers': 'leak at the line',
      'is skipped': 'pending',
      'is to be written': 'todo',
      'leaks in its first try only': 'passed',
    });
    expect(run.stderr).toContain('The failed test "fails and leaks" has left loans out');
  },
  PACKAGE_PATIENCE_MILLIS,
);

test(
  'node:test: the test function of the package fails the very tests that leak',
  () => {
    const run = node('--test', '--test-reporter=./node/reporter.mjs', 'node/leaks.test.mjs');
    const lines = run.stdout.split('\n').filter((text) => text.startsWith('{'));
    const events = lines.map((text) => JSON.parse(text) as Record<string, unknown>);
    const found = events
      .filter(({ name }) => name !== undefined)
      .map(({ type, name, skip, todo, failure }): [unknown, string] => {
        if (skip !== undefined) return [name, 'skipped'];
        if (todo !== undefined) return [name, 'todo'];
        return [name, type === 'test:pass' ? 'passed' : kindOf(failure as string)];
      });
    expect(Object.fromEntries(found)).toMatchObject({
      clean: 'passed',
      leaks: 'leak at the line',
      'releases 20 ms late': 'passed',
      'fails and leaks': 'own error',
      'a callback, clean': 'passed',
      'a callback, and leaks': 'leak at the line',
      'times out and leaks': 'timeout',
      'leaks under fake timers': 'leak at the line',
      'subtest that is clean': 'passed',
      'subtest that leaks': 'leak at the line',
      subtests: '1 subtest failed',
      'is skipped': 'skipped',
      'is to be written': 'todo',
      ...Object.fromEntries(concurrent(10, 7)),
      'concurrent 7': expect.stringContaining('acquired at'),
    });
    const notes = events.map(({ note }) => note).filter((note) => note !== undefined);
    expect(notes.join('\n')).toContain('The failed test "fails and leaks" has left loans out');
  },
  PACKAGE_PATIENCE_MILLIS,
);
