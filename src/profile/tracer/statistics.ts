/** Sums over traces, as `Statistic` and `StatisticDiff` of CPython's tracemalloc. */
import { fixed } from '../../core/fixed.js';
import {
  compareTracebacks,
  formatFrame,
  type Trace,
  type TraceFrame,
  tracebackKey,
} from './trace.js';

/**
 * What traces are grouped by: the innermost line, its file, the whole traceback, or the kind.
 */
export type TraceGrouping = 'line' | 'file' | 'traceback' | 'kind';

/** Sum over the traces of one group. */
export interface Statistic {
  /** The line, the file (with line 0) or the traceback of the group; empty for a kind. */
  readonly traceback: readonly TraceFrame[];
  /** The kind of the group; empty for the others. */
  readonly kind: string;
  /** Bytes of all traces of the group. */
  readonly size: number;
  /** Number of traces. */
  readonly count: number;
  /** Gives the line that tracemalloc prints: `orders.ts:7: size=2048 B, count=2, average=1024 B`. */
  toString(): string;
}

/** Difference of a group between two snapshots. */
export interface StatisticDiff extends Statistic {
  /** Change of the size, in bytes. */
  readonly sizeDiff: number;
  /** Change of the number of traces. */
  readonly countDiff: number;
}

interface Group {
  readonly traceback: readonly TraceFrame[];
  readonly kind: string;
  size: number;
  count: number;
}

type Groups = Map<string, Group>;

/** Gives the groups in tracemalloc's order: the largest first. O(traces · frames). */
export function statisticsOf(
  traces: readonly Trace[],
  by: TraceGrouping,
  cumulative: boolean,
): Statistic[] {
  return [...groupBy(traces, by, cumulative).values()]
    .map((group) => new GroupStatistic(group))
    .sort((a, b) => b.size - a.size || b.count - a.count || compareNames(b, a));
}

/** Gives the differences from `old` in tracemalloc's order: the largest change first. O(traces · frames). */
export function differencesOf(
  traces: readonly Trace[],
  old: readonly Trace[],
  by: TraceGrouping,
  cumulative: boolean,
): StatisticDiff[] {
  const before = groupBy(old, by, cumulative);
  const after = groupBy(traces, by, cumulative);
  const differences: GroupDifference[] = [];
  for (const [key, group] of after) {
    const { size, count } = before.get(key) ?? { size: 0, count: 0 };
    differences.push(new GroupDifference(group, group.size - size, group.count - count));
  }
  for (const [key, group] of before) {
    if (after.has(key)) continue;
    const gone = { ...group, size: 0, count: 0 };
    differences.push(new GroupDifference(gone, 0 - group.size, 0 - group.count));
  }
  return differences.sort(
    (a, b) =>
      Math.abs(b.sizeDiff) - Math.abs(a.sizeDiff) ||
      b.size - a.size ||
      Math.abs(b.countDiff) - Math.abs(a.countDiff) ||
      b.count - a.count ||
      compareNames(b, a),
  );
}

function compareNames(a: Statistic, b: Statistic): number {
  if (a.kind !== b.kind) return a.kind < b.kind ? -1 : 1;
  return compareTracebacks(a.traceback, b.traceback);
}

function groupBy(traces: readonly Trace[], by: TraceGrouping, cumulative: boolean): Groups {
  const groups: Groups = new Map();
  const add = (size: number, traceback: readonly TraceFrame[], kind = ''): void => {
    const key = `${kind}\n${tracebackKey(traceback)}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { traceback, kind, size, count: 1 });
    else {
      group.size += size;
      group.count++;
    }
  };
  const named = (frame: TraceFrame): TraceFrame =>
    by === 'file' ? { file: frame.file, line: 0 } : frame;
  for (const { kind, size, traceback } of traces) {
    if (by === 'kind') add(size, [], kind);
    else if (by === 'traceback') add(size, traceback);
    else {
      const frames = cumulative ? traceback : traceback.slice(0, 1);
      for (const frame of frames) add(size, [named(frame)]);
    }
  }
  return groups;
}

class GroupStatistic implements Statistic {
  readonly traceback: readonly TraceFrame[];
  readonly kind: string;
  readonly size: number;
  readonly count: number;

  constructor({ traceback, kind, size, count }: Group) {
    this.traceback = traceback;
    this.kind = kind;
    this.size = size;
    this.count = count;
  }

  toString(): string {
    return `${nameOf(this)}: size=${formatSize(this.size)}, count=${this.count}${averageOf(this)}`;
  }
}

class GroupDifference extends GroupStatistic implements StatisticDiff {
  readonly sizeDiff: number;
  readonly countDiff: number;

  constructor(group: Group, sizeDiff: number, countDiff: number) {
    super(group);
    this.sizeDiff = sizeDiff;
    this.countDiff = countDiff;
  }

  override toString(): string {
    const size = `${formatSize(this.size)} (${signed(this.sizeDiff, formatSize)})`;
    const count = `${this.count} (${signed(this.countDiff, String)})`;
    return `${nameOf(this)}: size=${size}, count=${count}${averageOf(this)}`;
  }
}

function nameOf({ kind, traceback }: Statistic): string {
  const outermost = traceback.at(-1);
  return outermost === undefined ? kind || '(unknown line)' : formatFrame(outermost);
}

function averageOf({ size, count }: Statistic): string {
  return count === 0 ? '' : `, average=${formatSize(size / count)}`;
}

function signed(value: number, format: (value: number) => string): string {
  return value < 0 ? format(value) : `+${format(value)}`;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** Gives a size as tracemalloc prints it: three to five digits. */
function formatSize(size: number): string {
  let value = size;
  for (const unit of UNITS) {
    if (Math.abs(value) < 100 && unit !== 'B') return `${fixed(value, 1)} ${unit}`;
    if (Math.abs(value) < 10 * 1024 || unit === 'TiB') return `${fixed(value, 0)} ${unit}`;
    value /= 1024;
  }
  return '';
}
