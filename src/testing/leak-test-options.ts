/** The options of the functions that fail a test for its leaks. */
import {
  aBoolean,
  aFunction,
  checkArgument,
  millis,
  type OptionCheck,
  type OptionTable,
  option,
  optional,
  resolveOptions,
} from '../core/options.js';
import { isWatchable, type Watchable } from '../core/probe.js';
import type { LeakReport } from '../watchdog/leak-report.js';

/** Options of `failOnLeaks`, `leakTest` and {@link expectNoLeaks}. */
export interface LeakTestOptions {
  /**
   * What to watch. `'all'` is every pool, shared value and buffer that is created from the first call on, and every managed context
   * and stack. A list adds components that were created before.
   *
   * @default 'all'
   */
  readonly watch?: 'all' | Iterable<Watchable>;
  /**
   * How long loans may take to come back after the test has ended, in milliseconds of real time. A test without leaks does not
   * wait.
   *
   * @default 100
   */
  readonly graceMillis?: number;
  /**
   * Whether to run V8's collector after each test. It makes a leak *certain* if no code can release the loan any more. It costs
   * 0.1 to 0.7 s for each test with a big heap.
   *
   * @default false
   */
  readonly forceGc?: boolean;
  /**
   * Whether to leave a leak out: one that is known, or that a dependency makes. An error that it throws is printed, and the leak
   * counts.
   *
   * @default no leak is left out
   */
  readonly ignore?: (report: LeakReport) => boolean;
}

/** What the options resolve to. */
export interface LeakTestSettings {
  readonly watch: 'all' | readonly Watchable[];
  readonly graceMillis: number;
  readonly forceGc: boolean;
  readonly ignore: ((report: LeakReport) => boolean) | undefined;
}

type Given = Omit<LeakTestSettings, 'watch'> & { readonly watch: 'all' | Iterable<Watchable> };

const aWatchList: OptionCheck = (value) => {
  if (value === 'all') return undefined;
  const isList = typeof value === 'object' && value !== null && Symbol.iterator in value;
  return isList ? undefined : `'all' or a list of components that can be watched`;
};

const OPTIONS: OptionTable<Given> = {
  watch: option(aWatchList, 'all'),
  graceMillis: option(millis, 100),
  forceGc: option(aBoolean, false),
  ignore: optional(aFunction),
};

const aWatchable: OptionCheck = (value) =>
  isWatchable(value)
    ? undefined
    : `'all' or a list of components that can be watched: pools, caches, shared values, buffers`;

/**
 * Gives the options with their defaults. `where` names the function that was called.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option.
 */
export function resolveLeakTestOptions(where: string, options: LeakTestOptions): LeakTestSettings {
  const settings = resolveOptions<Given>(where, options, OPTIONS);
  if (settings.watch === 'all') return { ...settings, watch: 'all' };
  const watch = [...settings.watch];
  for (const component of watch) checkArgument(where, 'watch', component, aWatchable);
  return { ...settings, watch };
}
