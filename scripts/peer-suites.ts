/**
 * Runs the test suites of other pools, which some of their releases contain, with and without `--import tenure/register`. Both
 * runs have to end with the same result. npm gets the releases; `npm run build` has to run before.
 *
 * Run with `npm run test:peers`.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type LocalPostgres, startLocalPostgres } from '../examples/service/local-postgres.js';

const REGISTER = new URL('../dist/node/register/index.js', import.meta.url).href;

interface Suite {
  readonly name: string;
  readonly version: string;
  /** Packages that its tests need. */
  readonly tools: readonly string[];
  /** The command that runs a file of tests. */
  command(file: string): readonly string[];
  /** Counts the tests that passed and failed in what the command printed. */
  readonly passed: RegExp;
  readonly failed: RegExp;
}

const SUITES: readonly Suite[] = [
  {
    name: 'generic-pool',
    version: '3.4.2',
    tools: ['tap@12'],
    command: (file) => [file],
    passed: /^\s*ok \d+/gm,
    failed: /^\s*not ok \d+/gm,
  },
  {
    name: 'pg-pool',
    version: '3.6.0',
    tools: ['pg@8.11.0', 'mocha@10', 'bluebird@3', 'co@4', 'expect.js@0.3', 'lodash@4'],
    command: (file) => ['node_modules/mocha/bin/mocha.js', '--reporter', 'tap', '--exit', file],
    passed: /^ok \d+/gm,
    failed: /^not ok \d+/gm,
  },
];

/** What a file of tests gave. */
interface Result {
  readonly passed: number;
  readonly failed: number;
}

async function runSuite(suite: Suite, postgres: LocalPostgres): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'tenure-peer-'));
  try {
    writeFileSync(join(folder, 'package.json'), '{ "private": true }');
    const packages = [`${suite.name}@${suite.version}`, ...suite.tools];
    await promisify(execFile)('npm', ['install', '--no-audit', '--no-fund', ...packages], {
      cwd: folder,
    });
    const tests = join('node_modules', suite.name, 'test');
    const files = readdirSync(join(folder, tests)).filter((file) =>
      /^(?!setup|utils).*\.js$/.test(file),
    );
    let isSame = true;
    for (const file of files) {
      const bare = await runFile(suite, folder, join(tests, file), postgres, false);
      const watched = await runFile(suite, folder, join(tests, file), postgres, true);
      const agrees = bare.passed === watched.passed && bare.failed === watched.failed;
      isSame &&= agrees;
      console.log(
        `${agrees ? 'same' : 'DIFFERS'}  ${suite.name} ${suite.version} ${file}: ` +
          `bare ${show(bare)}; watched ${show(watched)}, ${watched.loans} loans seen`,
      );
    }
    return isSame;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runFile(
  suite: Suite,
  folder: string,
  file: string,
  postgres: LocalPostgres,
  isWatched: boolean,
): Promise<Result & { readonly loans: number }> {
  const env = {
    ...process.env,
    PGHOST: '127.0.0.1',
    PGPORT: String(postgres.port),
    PGUSER: 'postgres',
    PGDATABASE: 'postgres',
    TENURE: 'leaks=log,json=tenure.json',
  };
  rmSync(join(folder, 'tenure.json'), { force: true });
  const flags = isWatched ? ['--import', REGISTER] : [];
  const output = await new Promise<string>((resolve) => {
    const args = [...flags, ...suite.command(file)];
    execFile(process.execPath, args, { cwd: folder, env, timeout: 120_000 }, (_error, stdout) =>
      resolve(stdout),
    );
  });
  return {
    passed: output.match(suite.passed)?.length ?? 0,
    failed: output.match(suite.failed)?.length ?? 0,
    loans: isWatched ? loansIn(join(folder, 'tenure.json')) : 0,
  };
}

/** How many loans a run has seen; 0 if it has used no pool. */
function loansIn(report: string): number {
  try {
    const { loans } = JSON.parse(readFileSync(report, 'utf8')) as { readonly loans: number };
    return loans;
  } catch {
    return 0;
  }
}

function show({ passed, failed }: Result): string {
  return `${passed} passed, ${failed} failed`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await using postgres = await startLocalPostgres();
  let isSame = true;
  for (const suite of SUITES) isSame = (await runSuite(suite, postgres)) && isSame;
  process.exitCode = isSame ? 0 : 1;
}
