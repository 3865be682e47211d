/**
 * Two witnesses of a leak: the watchdog, which knows the line that took a resource, and V8, which knows how many objects are
 * alive, how much they retain and what holds them. If they disagree, one of them is told too little.
 */
import { formatPosition } from '../../core/call-site.js';
import { printAs } from '../../core/inspect.js';
import { checkArgument, type OptionTable, optional, resolveOptions } from '../../core/options.js';
import { census } from '../../profile/census/census.js';
import type { LeakReport } from '../../watchdog/leak-report.js';
import { holderOf } from './holder.js';
import { megabytes } from './snapshot/snapshot-estimate.js';
import { V8Snapshot } from './snapshot/v8-snapshot.js';

/** Options of {@link sideBySide}. */
export interface SideBySideOptions {
  /** Name of the constructor of each component's resources, by the name of the component: `{ db: 'Client' }`. */
  readonly kinds: Readonly<Record<string, string>>;
}

/** How many objects one holder holds. */
export interface Holder {
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
  /** Lines that took them, the most frequent first. */
  readonly sites: readonly string[];
  /** Constructor of the resources; absent if `kinds` does not name it. */
  readonly kind?: string;
  /** Objects of that kind that are alive. Exact at the moment of the snapshot, as are their sizes. */
  readonly objects: number;
  /** Bytes that would be free without all of them together. */
  readonly retainedBytes: number;
  /** What holds them, the most frequent first. */
  readonly holders: readonly Holder[];
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
}

const OPTIONS: OptionTable<Settings> = {
  kinds: optional((value) =>
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((kind) => typeof kind === 'string')
      ? undefined
      : 'an object from names of components to names of constructors',
  ),
};

/** Objects whose holders are looked up: paths of more would say the same. */
const MOST_HELD = 1000;

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
  const { kinds = {} } = resolveOptions('sideBySide', options, OPTIONS);
  checkArgument('sideBySide', 'leaks', leaks, (value) =>
    Array.isArray(value) ? undefined : 'the leaks of watchdog.check()',
  );
  checkArgument('sideBySide', 'snapshot', snapshot, (value) =>
    value instanceof V8Snapshot ? undefined : 'a snapshot that openSnapshot() has read',
  );
  const all = census(snapshot);
  const names = new Set([...leaks.map(({ component }) => component.name), ...Object.keys(kinds)]);
  const rows = [...names].map((name): SideBySideRow => {
    const lost = leaks.filter(({ component }) => component.name === name);
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    const found = kind === undefined ? undefined : all.row(kind);
    return {
      component: `${lost[0]?.component.kind ?? 'component'} "${name}"`,
      lostLoans: lost.reduce((sum, { count }) => sum + count, 0),
      sites: sitesOf(lost),
      ...(kind === undefined ? {} : { kind }),
      objects: found?.total.count ?? 0,
      retainedBytes: found === undefined ? 0 : found.retained().bytes,
      holders: found === undefined ? [] : holdersOf(snapshot, found.handles()),
    };
  });
  const result: SideBySide = { rows, toString: () => rows.map(rowText).join('\n') };
  printAs(result, (self) => self.toString());
  return result;
}

function sitesOf(leaks: readonly LeakReport[]): string[] {
  return leaks
    .toSorted((a, b) => b.count - a.count)
    .flatMap(({ site }) => (site === undefined ? [] : [formatPosition(site)]));
}

function holdersOf(snapshot: V8Snapshot, nodes: Iterable<number>): Holder[] {
  const counts = new Map<string, number>();
  let looked = 0;
  for (const node of nodes) {
    if (looked++ === MOST_HELD) break;
    const name = holderOf(snapshot, snapshot.pathTo(node));
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => ({ name, count })).sort((a, b) => b.count - a.count);
}

function rowText({
  component,
  lostLoans,
  sites,
  kind,
  objects,
  retainedBytes,
  holders,
}: SideBySideRow): string {
  const taken = sites.length === 0 ? '' : `, taken at ${sites.join(', ')}`;
  const held = holders.map(({ name, count }) => `${name} (${count})`).join(', ');
  const v8 =
    kind === undefined
      ? `not asked; name the constructor in \`kinds\``
      : `${objects} ${kind}, ${megabytes(retainedBytes)} retained${held === '' ? '' : `, held by ${held}`}  [snapshot, exact at its moment]`;
  return `${component}\n  tenure: ${lostLoans} lost ${lostLoans === 1 ? 'loan' : 'loans'}${taken}  [exact (simulated)]\n  V8:     ${v8}`;
}
