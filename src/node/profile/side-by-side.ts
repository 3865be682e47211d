/**
 * Two sources of facts about a leak: the watchdog, which knows the line that took a resource, and V8, which knows how many objects are
 * alive, how much they retain and what holds them. If they disagree, one of them is told too little.
 */
import { formatPosition } from '../../core/call-site.js';
import { printAs } from '../../core/inspect.js';
import {
  checkArgument,
  type OptionCheck,
  type OptionTable,
  optional,
  resolveOptions,
} from '../../core/options.js';
import { plural } from '../../core/plural.js';
import { type Census, census } from '../../profile/census/census.js';
import { formatBytes } from '../../profile/measure/format-bytes.js';
import type { LeakReport } from '../../watchdog/leak-report.js';
import { holderOf } from './holder.js';
import { givenBytes, type LostBytes, retainedByLost } from './lost-bytes.js';
import { V8Snapshot } from './snapshot/v8-snapshot.js';

/** Options of {@link sideBySide}. */
export interface SideBySideOptions {
  /** Name of the constructor of each component's resources, by the name of the component: `{ db: 'Client' }`. */
  readonly kinds: Readonly<Record<string, string>>;
  /**
   * Bytes that one loan stands for, by the name of the component: `{ db: 64_000 }`. For resources whose memory V8 does not see.
   *
   * @default none: what the objects of `kinds` retain in V8
   */
  readonly bytesPerLoan?: Readonly<Record<string, number>>;
}

/** How many objects one holder holds. */
export interface HolderCount {
  /** The nearest holder with a name: `OrderCache.#entries`, `variable session`. */
  readonly name: string;
  /** How many of the objects it holds. */
  readonly count: number;
}

/** What the watchdog and V8 say about one component. */
export interface SideBySideRow {
  /** Kind and name of the component: `pool "db"`. */
  readonly component: string;
  /** Loans that the watchdog has found lost. Exact (simulated). */
  readonly lostLoans: number;
  /** Bytes of the lost loans, with their source. Absent without lost loans, and where neither V8 nor the caller tells. */
  readonly lostBytes?: LostBytes;
  /** Objects that are no loans, such as entries of a cache, of which the watchdog has found more and more. Exact (simulated). */
  readonly growing: number;
  /** Lines that took the loans or made the objects, the most frequent first. */
  readonly sites: readonly string[];
  /** Constructor of the resources; absent if `kinds` does not name it. */
  readonly kind?: string;
  /** Objects of that kind that are alive. Exact at the moment of the snapshot, as are their sizes. */
  readonly objects: number;
  /** Bytes that would be free without all of them together. */
  readonly retainedBytes: number;
  /** What holds them, the most frequent first. */
  readonly holders: readonly HolderCount[];
}

/** The result of {@link sideBySide}. `toString` prints it. */
export interface SideBySide {
  /** One row for each component with a leak, and for each component that `kinds` names. */
  readonly rows: readonly SideBySideRow[];
  /** Gives a line of the watchdog and a line of V8 for each component. */
  toString(): string;
}

interface Settings {
  readonly kinds: Readonly<Record<string, string>> | undefined;
  readonly bytesPerLoan: Readonly<Record<string, number>> | undefined;
}

const OPTIONS: OptionTable<Settings> = {
  kinds: optional(
    aTableOf(
      (kind) => typeof kind === 'string',
      'an object from names of components to names of constructors',
    ),
  ),
  bytesPerLoan: optional(
    aTableOf(
      (bytes) => typeof bytes === 'number' && bytes >= 0 && Number.isFinite(bytes),
      'an object from names of components to numbers of bytes ≥ 0',
    ),
  ),
};

function aTableOf(isValue: (value: unknown) => boolean, expected: string): OptionCheck {
  return (value) =>
    typeof value === 'object' && value !== null && Object.values(value).every(isValue)
      ? undefined
      : expected;
}

/** Objects whose holders are looked up: paths of more would say the same. */
const MAX_HELD = 1000;

/**
 * Puts the leaks of a watchdog beside a heap snapshot of the same process. O(edges · log nodes).
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option.
 *
 * @example
 * ```ts
 * import { once } from 'node:events';
 * import { rmSync } from 'node:fs';
 * import { Worker } from 'node:worker_threads';
 * import { openSnapshot, sideBySide } from 'tenure/profile/v8';
 *
 * const file = `/tmp/side-by-side-${process.pid}.heapsnapshot`;
 * const worker = new Worker(
 *   `class Client {}
 *   globalThis.client = new Client();
 *   require('node:v8').writeHeapSnapshot(${JSON.stringify(file)});`,
 *   { eval: true },
 * );
 * await once(worker, 'exit');
 *
 * // In a service: the leaks of `await watchdog.check()`, and a file of takeSnapshot().
 * const both = sideBySide([], await openSnapshot(file), { kinds: { db: 'Client' } });
 * both.rows.map((row) => [row.lostLoans, row.objects]); // => [[0, 1]]
 * rmSync(file);
 * ```
 */
export function sideBySide(
  leaks: readonly LeakReport[],
  snapshot: V8Snapshot,
  options: SideBySideOptions,
): SideBySide {
  const { kinds = {}, bytesPerLoan = {} } = resolveOptions('sideBySide', options, OPTIONS);
  checkArgument('sideBySide', 'leaks', leaks, (value) =>
    Array.isArray(value) ? undefined : 'the leaks of watchdog.check()',
  );
  checkArgument('sideBySide', 'snapshot', snapshot, (value) =>
    value instanceof V8Snapshot ? undefined : 'a snapshot that openSnapshot() has read',
  );
  const all = census(snapshot);
  const rows = [...componentsOf(leaks, kinds)].map(([component, { name, reports }]) => {
    const kind = own(kinds, name);
    const found = kind === undefined ? undefined : { kind, objects: all.row(kind) };
    return {
      component,
      ...watchdogFigures(reports, found?.objects, own(bytesPerLoan, name)),
      ...v8Figures(snapshot, found),
    };
  });
  const result: SideBySide = { rows, toString: () => rows.map(rowText).join('\n') };
  printAs(result, (self) => self.toString());
  return result;
}

interface WatchedComponent {
  readonly name: string;
  readonly reports: LeakReport[];
}

/** Gives the components with leaks, then those that only `kinds` names, by kind and name. */
function componentsOf(
  leaks: readonly LeakReport[],
  kinds: Readonly<Record<string, string>>,
): Map<string, WatchedComponent> {
  const components = new Map<string, WatchedComponent>();
  for (const leak of leaks) {
    const { kind, name } = leak.component;
    const label = `${kind} "${name}"`;
    const known = components.get(label);
    if (known === undefined) components.set(label, { name, reports: [leak] });
    else known.reports.push(leak);
  }
  const withLeaks = new Set(leaks.map(({ component }) => component.name));
  for (const name of Object.keys(kinds)) {
    if (!withLeaks.has(name)) components.set(`component "${name}"`, { name, reports: [] });
  }
  return components;
}

/** The resources of one component that are alive in V8, and the name of their constructor. */
interface FoundResources {
  readonly kind: string;
  readonly objects: Census;
}

/** Gives what the watchdog says of one component, and what its lost loans retain in V8 if `bytesPerLoan` does not say it. */
function watchdogFigures(
  reports: readonly LeakReport[],
  objects: Census | undefined,
  bytesPerLoan: number | undefined,
): Pick<SideBySideRow, 'lostLoans' | 'lostBytes' | 'growing' | 'sites'> {
  const lostLoans = countOf(reports.filter(({ members }) => members === undefined));
  const lostBytes =
    bytesPerLoan === undefined
      ? objects && retainedByLost(lostLoans, objects)
      : givenBytes(lostLoans, bytesPerLoan);
  return {
    lostLoans,
    ...(lostBytes === undefined ? {} : { lostBytes }),
    growing: countOf(reports) - lostLoans,
    sites: sitesOf(reports),
  };
}

/** Gives what V8 says of the resources of one component: nothing if their constructor is not known. */
function v8Figures(
  snapshot: V8Snapshot,
  found: FoundResources | undefined,
): Pick<SideBySideRow, 'kind' | 'objects' | 'retainedBytes' | 'holders'> {
  if (found === undefined) return { objects: 0, retainedBytes: 0, holders: [] };
  const { kind, objects } = found;
  return {
    kind,
    objects: objects.total.count,
    retainedBytes: objects.retained().bytes,
    holders: holdersOf(snapshot, objects.handles()),
  };
}

function own<V>(table: Readonly<Record<string, V>>, name: string): V | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

function countOf(reports: readonly LeakReport[]): number {
  return reports.reduce((sum, { count }) => sum + count, 0);
}

/** Gives the lines, each once: one line may have a report for each certainty. */
function sitesOf(leaks: readonly LeakReport[]): string[] {
  const counts = new Map<string, number>();
  for (const { site, count } of leaks) {
    if (site === undefined) continue;
    const line = formatPosition(site);
    counts.set(line, (counts.get(line) ?? 0) + count);
  }
  return [...counts].sort(([, a], [, b]) => b - a).map(([line]) => line);
}

function holdersOf(snapshot: V8Snapshot, nodes: Iterable<number>): HolderCount[] {
  const counts = new Map<string, number>();
  let looked = 0;
  for (const node of nodes) {
    if (looked++ === MAX_HELD) break;
    const name = holderOf(snapshot, snapshot.pathTo(node));
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => ({ name, count })).sort((a, b) => b.count - a.count);
}

function rowText(row: SideBySideRow): string {
  return `${row.component}\n  tenure: ${simulatedText(row)}\n  V8:     ${v8Text(row)}`;
}

function simulatedText({ lostLoans, lostBytes, growing, sites }: SideBySideRow): string {
  const loans = plural(lostLoans, 'lost loan');
  const bytes = lostBytes === undefined ? '' : `, ${lostBytesText(lostBytes)}`;
  const grown = growing === 0 ? '' : `, ${growing} objects of a kind that grows`;
  const taken = sites.length === 0 ? '' : `, taken at ${sites.join(', ')}`;
  return `${loans}${bytes}${grown}${taken}  [counts: exact (simulated)]`;
}

function lostBytesText({ least, most, source }: LostBytes): string {
  const range =
    least === most ? formatBytes(most) : `${formatBytes(least)} to ${formatBytes(most)}`;
  return `${range} (${source})`;
}

function v8Text({ lostLoans, kind, objects, retainedBytes, holders }: SideBySideRow): string {
  if (kind === undefined) return 'not asked; name the constructor in `kinds`';
  const held = holders.map(({ name, count }) => `${name} (${count})`).join(', ');
  const fewer =
    objects < lostLoans
      ? `; fewer than lost loans: is ${kind} the constructor of the resources?`
      : '';
  return `${objects} ${kind}, ${formatBytes(retainedBytes)} retained${held === '' ? '' : `, held by ${held}`}${fewer}  [snapshot, exact at its moment]`;
}
