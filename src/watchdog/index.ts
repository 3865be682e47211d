/**
 * A leak watchdog: watches pools, caches and weak maps, and names the line that lost what it took.
 *
 * @example
 * ```ts
 * import { createPool } from 'tenure/pool';
 * import { Watchdog } from 'tenure/watchdog';
 *
 * using watchdog = new Watchdog();
 * await using pool = createPool({ create: () => ({}), destroy: () => {} }, { name: 'db' });
 * watchdog.watch(pool);
 *
 * await watchdog.scope('GET /orders', () => pool.use(() => 'rows')); // => 'rows'
 * await watchdog.assertNoLeaks();
 * ```
 *
 * @module
 */
export type { Frame } from '../core/call-site.js';
export type { Clock, TimerHandle } from '../core/clock.js';
export {
  AlreadyWatchedError,
  InvalidArgumentError,
  TenureError,
  type TenureErrorOptions,
} from '../core/errors.js';
export { type GcSource, NoCollectorError } from '../core/gc-source.js';
export {
  type ComponentStats,
  type EntryPoint,
  type Holder,
  handOver,
  type KnownCaller,
  type LoanCounts,
  type Misuse,
  type NodeId,
  type NodeKind,
  type Observation,
  type Observer,
  type ObserverOfPart,
  type Origin,
  observe,
  type Transferable,
  type Watchable,
} from '../core/probe.js';
export type { NodeGeneration } from '../gc/memory/node-generation.js';
export { formatBaseline, parseBaseline } from './baseline.js';
export type { Certainty } from './certainty.js';
export { type FormatOptions, formatReport } from './format-report.js';
export type { HeapEvidence, SiteCounters } from './heap-evidence.js';
export type { CountedRule, CountedScope, CountedSite, LeakReport } from './leak-report.js';
export type { WatchLevel } from './level.js';
export { OpenScope, type OpenScopeOptions } from './open-scope.js';
export { type ReportJson, type ReportJsonOptions, reportJson } from './report-json.js';
export type { ExhaustedOptions } from './rules/exhausted.js';
export type { GrowthOptions } from './rules/growth.js';
export type { RetainedOptions } from './rules/retained.js';
export type { LeakRule, WatchdogRules } from './rules/rules.js';
export type { TenuredOptions } from './rules/tenured.js';
export { Watchdog } from './watchdog.js';
export { LeaksFoundError } from './watchdog-errors.js';
export type {
  CheckOptions,
  LeakListener,
  WatchdogEvent,
  WatchdogOptions,
} from './watchdog-options.js';
export type { WatchdogStats } from './watchdog-stats.js';
