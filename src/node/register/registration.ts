/**
 * The watch over an application that does not know of it. Until the application loads a package with pools, or creates a pool of
 * ours, nothing happens: no option is read, no timer runs, nothing is printed. `NODE_OPTIONS` may carry the flag into npm, tsc
 * and every other child process.
 *
 * ```
 *   loaded ──▶ package with pools found ──▶ HTTP scopes ──▶ first pool used ──▶ signal, exit report, leaks
 *      │
 *      ├──▶ HTTP requests for 30 s, and no package: says once that none was found
 *      └──▶ HTTP requests, packages, and no pool used: says so at the end
 * ```
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { channel } from 'node:diagnostics_channel';
import { noteAutomaticWatch, onCreated } from '../../core/created-components.js';
import { isWatchable, type Watchable } from '../../core/probe.js';
import { sharedByCopies } from '../../core/shared-by-copies.js';
import { Watchdog } from '../../watchdog/watchdog.js';
import type { ForeignPool } from '../foreign-pools/foreign-pool.js';
import type { PatchedPackage } from '../foreign-pools/peer-packages.js';
import {
  type ForeignPoolsWatch,
  followForeignPools,
} from '../foreign-pools/watch-foreign-pools.js';
import { chosenHttpScopes, httpScopes } from '../http-scopes.js';
import { ExitReport } from './exit-report.js';
import { LeakOutput } from './leak-output.js';
import { isSwitchedOff, type RegisterOptions, readRegisterOptions } from './register-options.js';
import { FIRST_REQUESTS, RequestSample } from './request-sample.js';

/** For how long a service may answer requests without a package with pools, before it is told, in milliseconds. */
const PATIENCE_MILLIS = 30_000;

/**
 * The most stacks of loans that a pool has taken in one second, the first ones of it, as with the requests that are watched. In a busy
 * service they take up to a hundredth of a processor.
 */
const STACKS_PER_SECOND = 100;

/** Says that no pool was found, neither of the packages that are looked for nor of this one. */
function nothingFound({ patch }: RegisterOptions): string {
  return `no pool of ${[...patch, 'tenure'].join(', ')} was found. Is the application bundled? Leave these packages out of the bundle (\`external\`), or watch their pools with \`watchdog.watch(adoptPool(pool))\`.`;
}

/** Says that packages were found, and that the application took no resource of their pools. */
function nothingUsed({ patched, missed }: ForeignPoolsWatch): string {
  const found = patched.map((copy) => `${copy.package} ${copy.version}`);
  const watched = [...new Set(found)].join(', ') || 'no package';
  const sentences = [
    `no pool was used: the pools of ${watched} are watched, and the application took nothing from them. \`pool.query()\` releases by itself, and is no loan. A library with a pool of its own is not watched.`,
    ...missed.map((copy) => `not watched: ${copy}`),
  ];
  return sentences.join('\n');
}

/** What `tenure/register` watches. */
export interface Registered {
  /** The watchdog, to which the application may add pools and scopes of its own. */
  readonly watchdog: Watchdog;
  /** The copies of packages that are watched. */
  readonly patched: readonly PatchedPackage[];
  /** The copies of packages that are left alone, with the reason. If no package was found, one sentence says so. */
  readonly missed: readonly string[];
}

/** The watch over this process or worker. */
export class Registration implements Registered {
  readonly #foreign: ForeignPoolsWatch;
  #settings: RegisterOptions | undefined;
  #output: LeakOutput | undefined;
  #watchdog: Watchdog | undefined;
  #report: ExitReport | undefined;
  #sample: RequestSample | undefined;
  #hasBegun = false;
  #hasSeenPool = false;

  constructor() {
    onCreated((component) => this.#watchOwn(component));
    this.#foreign = followForeignPools({
      wants: (name) => this.#options.patch.includes(name),
      poolSeen: (pool) => this.#watchForeign(pool),
      givesWay: true,
      packageFound: () => this.#begin(),
    });
    this.#awaitRequests();
  }

  get watchdog(): Watchdog {
    this.#watchdog ??= this.#createWatchdog();
    return this.#watchdog;
  }

  get patched(): readonly PatchedPackage[] {
    return this.#foreign.patched;
  }

  get missed(): readonly string[] {
    const { missed } = this.#foreign;
    return this.#hasBegun || missed.length > 0 ? missed : [nothingFound(this.#options)];
  }

  /** Reads the options, and opens scopes for requests. */
  #begin(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    const { scope, level } = this.#options;
    if (scope === 'none' || level === 'off') return;
    const { watchdog } = this;
    if (scope === 'all') httpScopes(watchdog);
    else {
      const sample = new RequestSample(watchdog);
      this.#sample = sample;
      chosenHttpScopes(watchdog, { isDue: sample.next, passed: () => watchdog.restScopes() });
    }
  }

  #watchForeign(pool: ForeignPool): Disposable {
    this.#begin();
    this.#hasSeenPool = true;
    const isWanted = this.#options.level !== 'off';
    if (isWanted) this.#exitReport.add(pool);
    return this.watchdog.watch(pool);
  }

  /** Watches a pool of ours, until the application has it watched by a watchdog of its own. */
  #watchOwn(component: Watchable): void {
    if (!isWatchable(component)) return;
    this.#begin();
    this.#hasSeenPool = true;
    if (this.#options.level === 'off') return;
    noteAutomaticWatch(component, this.watchdog.watch(component));
    this.#exitReport.addOwn();
  }

  get #options(): RegisterOptions {
    if (this.#settings === undefined) {
      const { options, problems } = readRegisterOptions();
      this.#settings = options;
      this.#output = new LeakOutput(options);
      for (const problem of problems) this.#output.say(problem);
    }
    return this.#settings;
  }

  get #exitReport(): ExitReport {
    this.#report ??= new ExitReport(
      this.watchdog,
      this.#foreign,
      this.#options,
      this.#output as LeakOutput,
      () => this.#sample?.counts,
    );
    return this.#report;
  }

  #createWatchdog(): Watchdog {
    const { level, graceMillis } = this.#options;
    const watchdog = new Watchdog({
      level,
      graceMillis,
      stacksPerSecond: STACKS_PER_SECOND,
      firstStacks: FIRST_REQUESTS,
      onLeak: (leak) => this.#output?.found(leak),
    });
    return watchdog.on('retracted', (leak) => {
      if (leak.count === 0) this.#output?.cameBack(leak);
    });
  }

  /** Tells once if a service answers requests and uses no pool. Needs no timer: a request looks at the clock. */
  #awaitRequests(): void {
    const requests = channel('http.server.request.start');
    let answersRequests = false;
    const stop = (): void => {
      requests.unsubscribe(requested);
      process.off('exit', tell);
    };
    const tell = (): void => {
      stop();
      if (this.#hasSeenPool) return;
      const options = this.#options; // Makes the output, too.
      if (options.level === 'off') return;
      this.#output?.say(this.#hasBegun ? nothingUsed(this.#foreign) : nothingFound(options));
    };
    const requested = (): void => {
      if (this.#hasSeenPool) stop();
      else if (!this.#hasBegun && performance.now() > PATIENCE_MILLIS) tell();
      else if (!answersRequests) {
        answersRequests = true;
        process.on('exit', tell);
      }
    };
    requests.subscribe(requested);
  }
}

const shared: { registered?: Registered } = sharedByCopies('tenure.register', () => ({}));

/** Starts the watch over this thread, unless this or another copy of this package has started it. `undefined` if it is switched off. */
export function register(): Registered | undefined {
  if (isSwitchedOff()) return undefined;
  shared.registered ??= new Registration();
  return shared.registered;
}
