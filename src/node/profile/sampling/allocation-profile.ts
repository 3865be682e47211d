/** What was allocated by which function, estimated from samples. */
import { printAs } from '../../../core/inspect.js';
import { checkArgument, oneOf } from '../../../core/options.js';
import { plural } from '../../../core/plural.js';
import { formatBytes } from '../../../profile/measure/format-bytes.js';
import {
  type CallNode,
  callTree,
  functionKey,
  functionLabel,
  type ProfiledFunction,
  type RawProfile,
  samplesIn,
  visitCalls,
} from './call-tree.js';
import { exportPprof } from './export-pprof.js';
import { exportCollapsed, exportSpeedscope } from './export-text.js';
import { flameGraph } from './flame-graph.js';
import { treemap } from './treemap.js';

/** What one function allocated. Figures are estimates. */
export interface FunctionRow extends ProfiledFunction {
  /** What the function allocated itself, in bytes. */
  readonly selfBytes: number;
  /** What it and all that it called allocated, in bytes. Recursive calls count once. */
  readonly totalBytes: number;
  /** Samples behind `selfBytes`. */
  readonly samples: number;
  /** Standard error of `selfBytes`, as a part of it: 1 / √samples. 1 or less; 1 for a single sample and for none. */
  readonly relativeError: number;
}

/** A format of {@link AllocationProfile.export} that is text. */
export type ProfileTextFormat =
  | 'heapprofile'
  | 'speedscope'
  | 'collapsed'
  | 'flamegraph'
  | 'treemap';

/** How an {@link AllocationProfile} was taken. */
export interface ProfileTaking {
  /** Mean number of bytes between two samples. */
  readonly intervalBytes: number;
  /** Whether only objects count that were still alive at the end. */
  readonly live: boolean;
  /** When sampling began, in milliseconds since 1970. */
  readonly startedAt: number;
}

const FORMATS = oneOf('heapprofile', 'pprof', 'speedscope', 'collapsed', 'flamegraph', 'treemap');

/** Functions in the table of {@link AllocationProfile.toString}. */
const PRINTED_ROWS = 15;

/**
 * Allocations by function, made by {@link sample}. V8 samples functions and not lines: each position is where a function begins.
 *
 * @example
 * ```ts
 * import { sample } from 'tenure/profile/v8';
 *
 * const sampling = sample({ intervalBytes: 1024 });
 * const kept = Array.from({ length: 20_000 }, (_, i) => ({ i }));
 * const profile = await sampling.stop();
 *
 * profile.totalBytes > 100_000; // => true
 * profile.relativeError < 0.2; // => true
 * profile.export('collapsed').includes(';'); // => true
 * kept.length; // => 20000
 * ```
 */
export class AllocationProfile {
  /** Mean number of bytes between two samples. */
  readonly intervalBytes: number;
  /** Whether only objects count that were still alive at the end. */
  readonly live: boolean;
  /** Number of samples. */
  readonly samples: number;
  /** Estimate of all that was allocated, in bytes. */
  readonly totalBytes: number;
  /** Standard error of `totalBytes`, as a part of it: 1 / √samples. */
  readonly relativeError: number;
  readonly #raw: RawProfile;
  readonly #root: CallNode;
  readonly #startedAt: number;

  /** @internal */
  constructor(raw: RawProfile, taking: ProfileTaking) {
    this.#raw = raw;
    this.#root = callTree(raw);
    this.intervalBytes = taking.intervalBytes;
    this.live = taking.live;
    this.samples = samplesIn(this.#root); // V8 lists some samples of stacks that it has dropped.
    this.totalBytes = this.#root.totalBytes;
    this.relativeError = relativeErrorOf(this.samples);
    this.#startedAt = taking.startedAt;
  }

  /** Where the figures come from, and how sure they are: `sampled every 512 kB, 20 samples: ±22 %`. */
  get source(): string {
    const what = this.live ? 'still alive at the end' : 'allocated, dead or alive';
    return `${what}; sampled every ${kilobytes(this.intervalBytes)}, ${amountOfSamples(this.samples)}`;
  }

  /** Gives the functions, that with the most bytes of its own first. O(stacks · depth). */
  functions(): FunctionRow[] {
    const rows = new Map<string, { -readonly [K in keyof FunctionRow]: FunctionRow[K] }>();
    visitCalls(this.#root, ({ selfBytes, selfSamples }, stack) => {
      const counted = new Set<string>();
      for (const of of stack) {
        const key = functionKey(of);
        const row = rows.get(key) ?? {
          ...of,
          selfBytes: 0,
          totalBytes: 0,
          samples: 0,
          relativeError: 1,
        };
        rows.set(key, row);
        if (!counted.has(key)) row.totalBytes += selfBytes;
        counted.add(key);
      }
      const own = rows.get(functionKey(stack.at(-1) as ProfiledFunction));
      if (own === undefined) return;
      own.selfBytes += selfBytes;
      own.samples += selfSamples;
      own.relativeError = relativeErrorOf(own.samples);
    });
    return [...rows.values()].sort(
      (a, b) => b.selfBytes - a.selfBytes || b.totalBytes - a.totalBytes,
    );
  }

  /**
   * Gives the profile for another program:
   *
   * | format | read by |
   * |---|---|
   * | `'heapprofile'` | Chrome's DevTools, Visual Studio Code |
   * | `'pprof'` | `go tool pprof`, Pyroscope, Grafana; gzipped bytes |
   * | `'speedscope'` | speedscope.app |
   * | `'collapsed'` | flamegraph.pl, inferno, speedscope.app |
   * | `'flamegraph'`, `'treemap'` | a browser; SVG |
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown format.
   */
  export(format: 'pprof'): Uint8Array;
  export(format: ProfileTextFormat): string;
  export(format: 'pprof' | ProfileTextFormat): Uint8Array | string {
    checkArgument('AllocationProfile.export', 'format', format, FORMATS);
    switch (format) {
      case 'heapprofile':
        return JSON.stringify(this.#raw);
      case 'pprof':
        return exportPprof(this.#root, {
          intervalBytes: this.intervalBytes,
          takenAt: this.#startedAt,
          comment: this.source,
        });
      case 'speedscope':
        return exportSpeedscope(this.#root, `Heap: ${this.source}`);
      case 'collapsed':
        return exportCollapsed(this.#root);
      case 'flamegraph':
        return flameGraph(this.#root, this.#title(), amountOf);
      case 'treemap':
        return treemap(
          this.functions()
            .filter(({ selfBytes }) => selfBytes > 0)
            .map((row) => ({
              bytes: row.selfBytes,
              label: row.name,
              title: `${functionLabel(row)}: ${amountOf(row.selfBytes, row.samples)}`,
              key: functionKey(row),
            })),
          this.#title(),
        );
    }
  }

  /** Gives a table of the functions that allocated most, and how sure it is. */
  toString(): string {
    const rows = this.functions().filter(({ selfBytes }) => selfBytes > 0);
    const lines = rows
      .slice(0, PRINTED_ROWS)
      .map(
        (row) =>
          `${formatBytes(row.selfBytes).padStart(10)} ${percent(row.relativeError).padStart(7)} ${formatBytes(row.totalBytes).padStart(10)}  ${functionLabel(row)}`,
      );
    if (rows.length > PRINTED_ROWS)
      lines.push(`… and ${rows.length - PRINTED_ROWS} more functions`);
    return [
      this.#title(),
      `${'itself'.padStart(10)}   error ${'with calls'.padStart(10)}  function (where it begins)`,
      ...lines,
    ].join('\n');
  }

  #title(): string {
    return `${formatBytes(this.totalBytes)} ${this.source}`;
  }

  static {
    printAs(AllocationProfile.prototype, (self) => self.toString());
  }
}

function relativeErrorOf(samples: number): number {
  return samples === 0 ? 1 : 1 / Math.sqrt(samples);
}

function amountOf(bytes: number, samples: number): string {
  return `${formatBytes(bytes)}, ${amountOfSamples(samples)}`;
}

function amountOfSamples(samples: number): string {
  return `${plural(samples, 'sample')}: ${percent(relativeErrorOf(samples))}`;
}

function percent(relativeError: number): string {
  return `±${(relativeError * 100).toFixed(relativeError < 0.01 ? 1 : 0)} %`;
}

function kilobytes(bytes: number): string {
  return bytes < 1024 ? `${bytes} B` : `${Math.round(bytes / 1024)} KiB`;
}
