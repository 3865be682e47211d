/** The report at the end of the process, and when a signal asks for it. */
import { isMainThread } from 'node:worker_threads';
import { guardedCall } from '../../core/guarded-call.js';
import type { LeakReport } from '../../watchdog/leak-report.js';
import type { Watchdog } from '../../watchdog/watchdog.js';
import { IterableWeakSet } from '../../weak/iterable-weak-set.js';
import type { ForeignPool } from '../foreign-pools/foreign-pool.js';
import type { ForeignPoolsWatch } from '../foreign-pools/watch-foreign-pools.js';
import type { Findings, LeakOutput } from './leak-output.js';
import type { RegisterOptions } from './register-options.js';
import type { RequestCounts } from './request-sample.js';

/** The code that the process ends with if there are leaks and the option `leaks` is `exit`. */
const LEAKS_FOUND = 1;

/** How many lines are told of the loans that are out and are not known to be lost. */
const MAX_LINES_OUT = 5;

/** Reports what the watchdog of a process has found. */
export class ExitReport {
  readonly #watchdog: Watchdog;
  readonly #foreign: ForeignPoolsWatch;
  readonly #options: RegisterOptions;
  readonly #output: LeakOutput;
  readonly #requests: () => RequestCounts | undefined;
  readonly #pools = new IterableWeakSet<ForeignPool>();
  #ownPools = 0;
  /** Whether the process ends because it has nothing left to do: no loan can come back any more. */
  #isIdle = false;

  constructor(
    watchdog: Watchdog,
    foreign: ForeignPoolsWatch,
    options: RegisterOptions,
    output: LeakOutput,
    requests: () => RequestCounts | undefined,
  ) {
    this.#watchdog = watchdog;
    this.#foreign = foreign;
    this.#options = options;
    this.#output = output;
    this.#requests = requests;
    process.on('beforeExit', () => {
      this.#isIdle = true;
    });
    process.on('exit', (code) => this.#atExit(code));
    this.#listenToSignal(options.signal);
  }

  /** Adds a pool of another package. */
  add(pool: ForeignPool): void {
    this.#pools.add(pool);
  }

  /** Counts a pool of this package. */
  addOwn(): void {
    this.#ownPools++;
  }

  /** A signal of the system reaches the main thread only. */
  #listenToSignal(signal: string): void {
    if (signal === 'none' || !isMainThread) return;
    try {
      process.on(signal as NodeJS.Signals, () => {
        guardedCall('the report of tenure/register', () => this.#output.report(this.#findings(0)));
      });
    } catch {
      this.#output.say(`this system has no signal ${signal}; no signal asks for a report.`);
    }
  }

  #atExit(code: number): void {
    guardedCall('the report of tenure/register', () => {
      const findings = this.#findings(this.#isIdle ? 0 : this.#options.graceMillis);
      this.#output.report(findings);
      if (this.#options.leaks === 'exit' && findings.leaks.length > 0 && code === 0) {
        process.exitCode = LEAKS_FOUND;
      }
    });
  }

  /** Leaks that were first found less than `graceMillis` ago, and are not certain, are set apart. */
  #findings(graceMillis: number): Findings {
    const all = this.#watchdog.checkNow();
    const isFresh = (leak: LeakReport): boolean =>
      leak.certainty !== 'certain' && leak.firstSeenMillis < graceMillis;
    const { loansOut, loans, lost } = this.#watchdog.stats();
    const outAndLost = all.reduce((sum, { count }) => sum + count, 0);
    const pools = [...this.#pools].map((pool) => describe(pool));
    if (this.#ownPools > 0) pools.push(`pools of tenure: ${this.#ownPools}`);
    return {
      leaks: all.filter((leak) => !isFresh(leak)),
      fresh: all.filter(isFresh),
      watched: pools,
      loans,
      requests: this.#requests(),
      exhausted: [...this.#pools].filter(isExhausted).map((pool) => describe(pool)),
      linesOut: this.#watchdog.linesOut().slice(0, MAX_LINES_OUT),
      stillOut: Math.max(0, loansOut - Math.min(lost, outAndLost)),
      missed: this.#foreign.missed,
    };
  }
}

function describe(pool: ForeignPool): string {
  const { borrowed = pool.loansOut, max, pending = 0 } = pool.stats();
  return `pool ${JSON.stringify(pool.name)} ${borrowed}/${max ?? '?'} out, ${pending} waiting`;
}

/** Whether every resource is out and callers wait. */
function isExhausted(pool: ForeignPool): boolean {
  const { borrowed = 0, max, pending = 0 } = pool.stats();
  return max !== undefined && max > 0 && borrowed >= max && pending > 0;
}
