/** Records the memory of the process over time, as `mprof run` does. */
/// <reference lib="esnext.disposable" preserve="true" />
import { type Clock, systemClock, type TimerHandle } from '../../core/clock.js';
import { guardedClock } from '../../core/guarded-clock.js';
import { reportIgnoredError } from '../../core/ignored-error.js';
import {
  aFunction,
  aName,
  checkArgument,
  type OptionTable,
  objectWith,
  option,
  optional,
  positiveMillis,
  resolveOptions,
} from '../../core/options.js';
import { NoMemoryFiguresError } from '../profile-errors.js';
import { hostMemorySource, type MemorySource } from './memory-source.js';
import { plotMemory } from './plot-memory.js';
import { type MemorySample, sampleOf, Timeline } from './timeline.js';

/** Options of {@link recordMemory}. */
export interface RecordOptions {
  /**
   * Time between two readings, in milliseconds.
   *
   * @default 100
   */
  readonly everyMillis?: number;
  /**
   * Takes each reading as one line of JSON, with its line end, as soon as it is read. So a record outlives its process. If it throws,
   * the error is printed, and it is called no more; the recording goes on. `memoryFile` of `tenure/profile/v8` writes to a file.
   *
   * @default none: readings are kept in memory
   */
  readonly write?: (line: string) => void;
  /**
   * Source of the figures.
   *
   * @default `process.memoryUsage`
   */
  readonly memory?: MemorySource;
  /**
   * Source of time.
   *
   * @default the clock of the system
   */
  readonly clock?: Clock;
}

interface RecordSettings {
  readonly everyMillis: number;
  readonly write: ((line: string) => void) | undefined;
  readonly memory: MemorySource | undefined;
  readonly clock: Clock;
}

const OPTIONS: OptionTable<RecordSettings> = {
  everyMillis: option(positiveMillis, 100),
  write: optional(aFunction),
  memory: optional(objectWith('memoryUsage')),
  clock: option(objectWith('now', 'setTimer', 'clearTimer'), systemClock),
};

/**
 * Begins to record the memory of the process, until the recording is disposed of. A reading takes about 3 µs, and 20 µs with a
 * file. A recording takes 64 kB, however long it runs: it thins out when it is full, but for the first readings of 255 labels. `write`
 * gets each reading. The timer does not keep the process alive.
 *
 * Nothing is collected, so the curve shows dead objects too. A floor that rises over many collections is a leak.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option.
 * @throws {@link NoMemoryFiguresError} (`TENURE_NO_MEMORY_FIGURES`) where the host tells no figures and none are passed.
 *
 * @example
 * ```ts
 * import { recordMemory } from 'tenure/profile';
 *
 * using recording = recordMemory({ everyMillis: 50 });
 * recording.mark('warmed up');
 * recording.samples().at(-1)?.label; // => 'warmed up'
 * recording.plot('service').startsWith('<svg'); // => true
 * ```
 */
export function recordMemory(options: RecordOptions = {}): MemoryRecording {
  const settings = resolveOptions('recordMemory', options, OPTIONS);
  return new MemoryRecording({ ...settings, clock: guardedClock(settings.clock) });
}

/**
 * A recording of the memory of the process. Made by {@link recordMemory}.
 *
 * @example
 * ```ts
 * import { recordMemory } from 'tenure/profile';
 *
 * const recording = recordMemory();
 * recording[Symbol.dispose]();
 * recording.samples().length; // => 2
 * ```
 */
export class MemoryRecording implements Disposable {
  readonly #timeline = new Timeline();
  readonly #settings: RecordSettings;
  readonly #memory: MemorySource;
  readonly #startedAt: number;
  #write: ((line: string) => void) | undefined;
  #timer: TimerHandle | undefined;
  #hasStopped = false;
  #isFailing = false;

  /** @internal */
  constructor(settings: RecordSettings) {
    const memory = settings.memory ?? hostMemorySource();
    if (memory === undefined) throw new NoMemoryFiguresError();
    this.#settings = settings;
    this.#memory = memory;
    this.#write = settings.write;
    this.#startedAt = settings.clock.now();
    this.#read('');
    this.#arm();
  }

  /**
   * Adds a reading with a label, which the plot shows. Without effect after the end.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an empty label.
   */
  mark(label: string): void {
    checkArgument('recording.mark', 'label', label, aName);
    if (!this.#hasStopped) this.#readAgain(label);
  }

  /** Gives the readings, oldest first. */
  samples(): MemorySample[] {
    return this.#timeline.samples();
  }

  /** Gives the readings as JSON, one a line: what `npx tenure plot` reads. */
  toJsonLines(): string {
    return this.samples().map(lineOf).join('');
  }

  /** Gives the plot of the readings, as {@link plotMemory} draws it. */
  plot(title: string): string {
    return plotMemory(this.samples(), { title });
  }

  /** Takes a last reading, and ends the recording. The readings stay. */
  [Symbol.dispose](): void {
    if (this.#hasStopped) return;
    this.#hasStopped = true;
    this.#readAgain('');
    if (this.#timer !== undefined) this.#settings.clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  #arm(): void {
    const { clock, everyMillis } = this.#settings;
    this.#timer = clock.setTimer(
      () => {
        this.#readAgain('');
        if (!this.#hasStopped) this.#arm(); // `write` may have disposed of the recording.
      },
      everyMillis,
      { background: true },
    );
  }

  /** Reads, or prints once why it cannot. A source that fails may answer later. */
  #readAgain(label: string): void {
    try {
      this.#read(label);
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) reportIgnoredError('`memory` of recordMemory', error);
      this.#isFailing = true;
    }
  }

  #read(label: string): void {
    const atMillis = Math.round(this.#settings.clock.now() - this.#startedAt);
    const usage = this.#memory.memoryUsage();
    this.#timeline.add(atMillis, usage, label, this.#hasStopped);
    this.#writeLine(sampleOf(atMillis, usage, label));
  }

  #writeLine(sample: MemorySample): void {
    try {
      this.#write?.(lineOf(sample));
    } catch (error) {
      this.#write = undefined;
      reportIgnoredError('`write` of recordMemory, which is called no more', error);
    }
  }
}

function lineOf(sample: MemorySample): string {
  return `${JSON.stringify(sample)}\n`;
}
