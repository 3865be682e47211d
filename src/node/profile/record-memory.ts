/** A record of a process' memory over time, as `mprof run` of Memory Profiler makes it. */
import { appendFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Clock, systemClock, type TimerHandle } from '../../core/clock.js';
import { InvalidArgumentError } from '../../core/errors.js';
import { reportIgnoredError } from '../../core/ignored-error.js';
import {
  aName,
  checkArgument,
  type OptionTable,
  objectWith,
  option,
  optional,
  positiveMillis,
  resolveOptions,
} from '../../core/options.js';

/** Options of {@link recordMemory}. */
export interface RecordMemoryOptions {
  /** The file to write, one JSON object a line. It replaces an older one. */
  readonly file: string;
  /**
   * Time between two samples, in milliseconds.
   *
   * @default 1000
   */
  readonly intervalMillis?: number;
  /**
   * Source of time.
   *
   * @default the system's clock
   */
  readonly clock?: Clock;
}

/** A record that is being written. Its end is the end of the record; the process may end without it. */
export interface MemoryRecord extends Disposable {
  /** Adds a sample with a label, which the picture shows. */
  mark(label: string): void;
}

interface Settings {
  readonly file: string | undefined;
  readonly intervalMillis: number;
  readonly clock: Clock;
}

const OPTIONS: OptionTable<Settings> = {
  file: optional(aName),
  intervalMillis: option(positiveMillis, 1000),
  clock: option(objectWith('now', 'setTimer', 'clearTimer'), systemClock),
};

/**
 * Records the memory of this process until the record is disposed of: about 20 µs a sample. `tenure plot FILE` draws it.
 *
 * Figures are those of `process.memoryUsage()`, without a collection: they rise between two collections of V8, and only their
 * lows tell of a leak. The timer does not keep the process alive. If the file cannot be written later on, the record ends
 * with a message on standard error.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option.
 * @throws the error of the file system if the file cannot be written.
 *
 * @example
 * ```ts
 * import { readFileSync, rmSync } from 'node:fs';
 * import { recordMemory } from 'tenure/profile/v8';
 *
 * const file = `/tmp/run-${process.pid}.jsonl`;
 * {
 *   using record = recordMemory({ file, intervalMillis: 1000 });
 *   record.mark('loaded');
 * }
 * const [start, loaded] = readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
 * start.rss > 0; // => true
 * loaded.label; // => 'loaded'
 * rmSync(file);
 * ```
 */
export function recordMemory(options: RecordMemoryOptions): MemoryRecord {
  const { file, intervalMillis, clock } = resolveOptions('recordMemory', options, OPTIONS);
  if (file === undefined) {
    throw new InvalidArgumentError('recordMemory: `file` is missing. Give the path to write to.');
  }
  return new Recording(resolve(file), intervalMillis, clock);
}

class Recording implements MemoryRecord {
  readonly #file: string;
  readonly #intervalMillis: number;
  readonly #clock: Clock;
  readonly #start: number;
  #timer: TimerHandle | undefined;
  #ended = false;

  constructor(file: string, intervalMillis: number, clock: Clock) {
    this.#file = file;
    this.#intervalMillis = intervalMillis;
    this.#clock = clock;
    this.#start = clock.now();
    writeFileSync(file, '');
    this.#sample();
    this.#schedule();
  }

  mark(label: string): void {
    checkArgument('MemoryRecord.mark', 'label', label, aName);
    if (!this.#ended) this.#sample(label);
  }

  [Symbol.dispose](): void {
    if (this.#ended) return;
    this.#sample();
    this.#end();
  }

  #schedule(): void {
    this.#timer = this.#clock.setTimer(
      () => {
        this.#sample();
        if (!this.#ended) this.#schedule();
      },
      this.#intervalMillis,
      { background: true },
    );
  }

  #sample(label?: string): void {
    const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
    const atMillis = Math.round(this.#clock.now() - this.#start);
    try {
      appendFileSync(
        this.#file,
        `${JSON.stringify({ atMillis, heapUsed, external, arrayBuffers, rss, label })}\n`,
      );
    } catch (error) {
      this.#end();
      reportIgnoredError('recordMemory, which has ended', error);
    }
  }

  #end(): void {
    this.#ended = true;
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer);
  }
}
