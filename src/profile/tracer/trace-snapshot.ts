/** Traces at one moment, as `Snapshot` of CPython's tracemalloc. */
import { instanceOf } from '../../core/class-name.js';
import { InvalidArgumentError } from '../../core/errors.js';
import { aBoolean, checkArgument, type OptionCheck, oneOf } from '../../core/options.js';
import {
  differencesOf,
  type Statistic,
  type StatisticDiff,
  statisticsOf,
  type TraceGrouping,
} from './statistics.js';
import type { Trace, TraceFrame } from './trace.js';
import { filterTraces, type TraceFilter } from './trace-filter.js';

const GROUPING = oneOf('line', 'file', 'traceback', 'kind');

/** Version of the JSON that {@link TraceSnapshot.dump} writes. */
const FORMAT = 1;

/**
 * The traces of a {@link Tracer} at one moment. It does not change.
 *
 * @example
 * ```ts
 * import { TraceSnapshot, Tracer } from 'tenure/profile';
 *
 * using tracer = new Tracer();
 * tracer.start();
 * const order = tracer.track({ id: 1 }, 2_048, 'order');
 * const snapshot = tracer.takeSnapshot();
 * String(snapshot.statistics('kind')[0]); // => 'order: size=2048 B, count=1, average=2048 B'
 * TraceSnapshot.load(snapshot.dump()).traces.length; // => 1
 * order.id; // => 1
 * ```
 */
export class TraceSnapshot {
  /** The traces, in the order in which they began. */
  readonly traces: readonly Trace[];
  /** How many lines a traceback has at most. */
  readonly tracebackLimit: number;
  /** Where the sizes come from, and how exact they are. */
  readonly source: string =
    'exact (traced): what components hand out, and bytes as the program gives them';

  /** @internal */
  constructor(traces: readonly Trace[], tracebackLimit: number) {
    this.traces = traces;
    this.tracebackLimit = tracebackLimit;
  }

  /**
   * Reads what {@link dump} has written.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a text that is no dump.
   */
  static load(text: string): TraceSnapshot {
    const data = parse(text);
    if (isDump(data)) return new TraceSnapshot(data.traces, data.tracebackLimit);
    throw new InvalidArgumentError(
      'TraceSnapshot.load: the text is no dump of traces. Pass what `snapshot.dump()` has written.',
    );
  }

  /** Gives the snapshot as JSON, for another process or a later comparison. */
  dump(): string {
    const { traces, tracebackLimit } = this;
    return JSON.stringify({ format: FORMAT, tracebackLimit, traces });
  }

  /**
   * Sums the traces by line, file, traceback or kind, the largest group first. `cumulative` counts a trace in every line of its
   * traceback, instead of the innermost.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown grouping, or for `cumulative` with one
   * that has no lines.
   */
  statistics(by: TraceGrouping, cumulative: boolean = false): Statistic[] {
    checkGrouping('statistics', by, cumulative);
    return statisticsOf(this.traces, by, cumulative);
  }

  /**
   * Gives what changed since `old`, the largest change first.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown grouping, or for `cumulative` with one
   * that has no lines.
   */
  compareTo(old: TraceSnapshot, by: TraceGrouping, cumulative: boolean = false): StatisticDiff[] {
    checkArgument('snapshot.compareTo', 'old', old, aSnapshot);
    checkGrouping('compareTo', by, cumulative);
    return differencesOf(this.traces, old.traces, by, cumulative);
  }

  /**
   * Gives the traces that at least one inclusive filter keeps, or all if there is none, and that no exclusive filter drops.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed filter.
   */
  filter(...filters: readonly TraceFilter[]): TraceSnapshot {
    return new TraceSnapshot(filterTraces(this.traces, filters), this.tracebackLimit);
  }
}

const aSnapshot: OptionCheck = instanceOf(TraceSnapshot, 'a snapshot of traces');

function checkGrouping(method: string, by: TraceGrouping, cumulative: boolean): void {
  checkArgument(`snapshot.${method}`, 'by', by, GROUPING);
  checkArgument(`snapshot.${method}`, 'cumulative', cumulative, aBoolean);
  if (!cumulative || by === 'line' || by === 'file') return;
  throw new InvalidArgumentError(
    `snapshot.${method}: \`cumulative\` needs lines to count in: group by 'line' or 'file', not by '${by}'.`,
  );
}

interface Dump {
  readonly traces: readonly Trace[];
  readonly tracebackLimit: number;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isDump(value: unknown): value is Dump {
  if (typeof value !== 'object' || value === null) return false;
  const { format, tracebackLimit, traces } = value as Partial<
    Record<keyof Dump | 'format', unknown>
  >;
  return (
    format === FORMAT &&
    Number.isSafeInteger(tracebackLimit) &&
    Array.isArray(traces) &&
    traces.every(isTrace)
  );
}

function isTrace(value: unknown): value is Trace {
  const { kind, size, traceback } = (value ?? {}) as Partial<Record<keyof Trace, unknown>>;
  return (
    typeof kind === 'string' &&
    Number.isFinite(size) &&
    Array.isArray(traceback) &&
    traceback.every(isFrame)
  );
}

function isFrame(value: unknown): value is TraceFrame {
  const { file, line } = (value ?? {}) as Partial<Record<keyof TraceFrame, unknown>>;
  return typeof file === 'string' && Number.isSafeInteger(line);
}
