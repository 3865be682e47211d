/** The benches that `npm run bench` runs, and how it runs one: in a process of its own. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { BenchOptions } from './compare.js';
import type { Row } from './row.js';

/** A bench: a module `bench/<name>.ts`. */
export interface Bench {
  /** Heading of the report that its rows stand under. */
  readonly section: string;
  readonly name: string;
  /** Rounds of the short form, an odd number. */
  readonly rounds: number;
}

/** What the module of a bench exports. */
export interface BenchModule {
  /** Packages that it measures besides tenure. */
  readonly packages: readonly string[];
  rows(options: BenchOptions): readonly Row[] | Promise<readonly Row[]>;
}

/** What running a bench gave. */
export interface Outcome {
  readonly packages: readonly string[];
  readonly rows: readonly Row[];
  /** Why it could not run on this machine. */
  readonly skipped?: string;
}

/** In the order of the report. A new bench is a module that exports `rows` and `packages`, and a line here. */
export const BENCHES: readonly Bench[] = [
  { section: 'Pool', name: 'pool/beside-peers', rounds: 15 },
  { section: 'Pool', name: 'pool/scaling', rounds: 3 },
  { section: 'Adopted pools', name: 'postgres/adopted', rounds: 9 },
  { section: 'Adopted pools', name: 'mariadb/adopted', rounds: 9 },
  { section: 'Memoize', name: 'memoize/beside-peers', rounds: 9 },
  { section: 'Memoize', name: 'memoize/configured', rounds: 9 },
  { section: 'Memoize', name: 'memoize/shared', rounds: 9 },
  { section: 'Memoize', name: 'memoize/memory', rounds: 1 },
  { section: 'Weak', name: 'weak/beside-peers', rounds: 9 },
  { section: 'Hit ratio', name: 'hit-ratio/main', rounds: 1 },
  { section: 'Heap', name: 'gc/beside-cpython', rounds: 3 },
  { section: 'Heap', name: 'gc/collectors', rounds: 7 },
  { section: 'View', name: 'view/beside-platform', rounds: 15 },
  { section: 'View', name: 'view/buffer-pool', rounds: 15 },
  { section: 'Watchdog', name: 'watchdog/levels', rounds: 9 },
  { section: 'Watchdog', name: 'watchdog/outstanding', rounds: 1 },
  { section: 'Watchdog', name: 'watchdog/postgres', rounds: 9 },
  { section: 'Watchdog', name: 'watchdog/pauses', rounds: 1 },
  { section: 'Watchdog', name: 'watchdog/flat', rounds: 1 },
  { section: 'Watchdog', name: 'watchdog/service', rounds: 9 },
  { section: 'Register', name: 'register/cost', rounds: 15 },
  { section: 'Register', name: 'register/service', rounds: 3 },
];

const CHILD = fileURLToPath(new URL('child.ts', import.meta.url));

/** What a process that measures the build imports first. */
const USE_BUILD = new URL('use-build.js', import.meta.url).href;

/**
 * Runs a bench in a process of its own, so that no bench meets what an earlier one made V8 compile. It measures the files of
 * `npm run build`, or with `measures: 'sources'` what tsx makes of the sources. Rejects with what the bench printed if it fails.
 */
export function runBench(
  name: string,
  options: BenchOptions,
  measures: 'build' | 'sources' = 'build',
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = fork(CHILD, [name, JSON.stringify(options)], {
      execArgv: [
        '--expose-gc',
        '--import',
        'tsx',
        ...(measures === 'build' ? ['--import', USE_BUILD] : []),
      ],
      silent: true,
    });
    let printed = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        printed += text;
      });
    }
    child.once('message', (outcome: Outcome) => resolve(outcome));
    child.once('error', reject);
    child.once('close', (code) =>
      reject(new Error(`bench/${name}.ts exited with ${code}:\n${printed}`)),
    );
  });
}
