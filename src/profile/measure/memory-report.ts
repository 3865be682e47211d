/** What a profile has found, and its table. */
import { printAs } from '../../core/inspect.js';
import { formatBytes } from './format-bytes.js';
import { plotMemory } from './plot-memory.js';
import type { MemoryRow } from './row-table.js';
import type { MemorySample } from './timeline.js';

/** What a {@link MemoryReport} is made of. */
export interface ReportParts {
  readonly name: string;
  readonly rows: readonly MemoryRow[];
  readonly samples: readonly MemorySample[];
  readonly noise: number;
  /** True if readings were taken after a collection. */
  readonly collected: boolean;
  readonly warmup: WarmUp;
}

/** Runs of the body before the measured ones. */
export interface WarmUp {
  /** How many runs there were. */
  readonly runs: number;
  /** Bytes that V8's heap retained meanwhile: code, and what the body keeps. */
  readonly heapUsed: number;
}

/**
 * The result of {@link profileMemory}: a row for each mark, with what the process retained up to it.
 *
 * @example
 * ```ts
 * import { profileMemory } from 'tenure/profile';
 *
 * const { report } = await profileMemory(
 *   'orders',
 *   async (profile) => {
 *     for (let i = 0; i < 3; i++) await profile.mark('turn');
 *   },
 *   { gc: false },
 * );
 * report.rows.map(({ label, calls }) => [label, calls]); // => [['turn', 3], ['(end)', 1]]
 * report.source.startsWith('measured without gc'); // => true
 * ```
 */
export class MemoryReport {
  /** Name of the profile. */
  readonly name: string;
  /** One row for each mark, in the order in which they were first reached. The last is the end of the body. */
  readonly rows: readonly MemoryRow[];
  /** Readings over time, for a plot: all of them, or every second, fourth, … of a long profile. */
  readonly samples: readonly MemorySample[];
  /** Bytes by which `heapUsed` differs from one reading to the next if nothing happens. */
  readonly noise: number;
  /** Where the figures come from, and how exact they are. */
  readonly source: string;
  /** Runs of the body before the measured ones. */
  readonly warmup: WarmUp;

  /** @internal */
  constructor({ name, rows, samples, noise, collected, warmup }: ReportParts) {
    this.name = name;
    this.rows = rows;
    this.samples = samples;
    this.noise = noise;
    this.warmup = warmup;
    this.source = collected
      ? `measured after gc, noise ${formatBytes(noise)}`
      : 'measured without gc: dead objects count too, so a row proves nothing';
  }

  /** Rows whose calls retain memory each time. */
  get leaks(): readonly MemoryRow[] {
    return this.rows.filter(({ leaks }) => leaks);
  }

  /** True if other work ran in the process meanwhile. */
  get overlapped(): boolean {
    return this.rows.some(({ overlapped }) => overlapped);
  }

  /**
   * Gives the table:
   *
   * ```text
   * orders: memory retained up to each line (measured after gc, noise 0 B)
   *       heap     (first)   buffers  external  calls  line
   *   +21.1 kB     +1.1 kB       0 B       0 B     20  orders.ts:5:19  kept  LEAKS at least 1.0 kB a call
   *       48 B        48 B       0 B       0 B      1  orders.ts:2:26  (end)
   * ```
   */
  toString(): string {
    const head = `${this.name}: memory retained up to each line (${this.source})`;
    const { runs, heapUsed } = this.warmup;
    const warmedUp = runs > 0 ? [`warm-up: ${runs} runs retained ${signed(heapUsed)}`] : [];
    const columns = ['heap', '(first)', 'buffers', 'external'].map((name) => name.padStart(10));
    const overlapped = this.overlapped
      ? ['* other work ran in the process meanwhile: its memory is in the figures']
      : [];
    return [
      head,
      ...warmedUp,
      `${columns.join(' ')}  calls  line`,
      ...this.rows.map(formatRow),
      ...overlapped,
    ].join('\n');
  }

  /** Gives the plot of the readings at the marks, as {@link plotMemory} draws it. */
  plot(): string {
    return plotMemory(this.samples, { title: this.name, source: this.source });
  }

  static {
    printAs(MemoryReport.prototype, (self) => self.toString());
  }
}

function formatRow(row: MemoryRow): string {
  const { heapUsed, first, arrayBuffers, external, calls, site, label, leakedPerCall } = row;
  const figures = [heapUsed, first, arrayBuffers, external].map((bytes) =>
    signed(bytes).padStart(10),
  );
  const verdict = row.leaks ? `  LEAKS at least ${formatBytes(leakedPerCall)} a call` : '';
  const overlapped = row.overlapped ? ' *' : '';
  return `${figures.join(' ')}  ${String(calls).padStart(5)}  ${site}  ${label}${verdict}${overlapped}`;
}

function signed(bytes: number): string {
  return bytes > 0 ? `+${formatBytes(bytes)}` : formatBytes(bytes);
}
