/** Records the memory of the process over time, as `mprof run` does. */
/// <reference lib="esnext.disposable" preserve="true" />
import { type Clock, systemClock, type TimerHandle } from '../../core/clock.js';
import { InvalidArgumentError } from '../../core/errors.js';
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
import { NoMemoryFiguresError } from '../profile-errors.js';
import { hostMemorySource, type MemorySource } from './memory-source.js';
import { plotMemory } from './plot-memory.js';
import { type MemorySample, Timeline } from './timeline.js';

/** Options of {@link recordMemory}. */
export interface RecordOptions {
  /**
   * Time between two readings, in milliseconds.
   *
   * @default 100
   */
  readonly everyMillis?: number;
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
  readonly memory: MemorySource | undefined;
  readonly clock: Clock;
}

const OPTIONS: OptionTable<RecordSettings> = {
  everyMillis: option(positiveMillis, 100),
  memory: optional(objectWith('memoryUsage')),
  clock: option(objectWith('now', 'setTimer', 'clearTimer'), systemClock),
};

/**
 * Begins to record the memory of the process. A reading takes about 3 µs. A recording takes 64 kB, however long it runs: it
 * thins out when it is full. Its timer does not keep the process alive.
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
  return new MemoryRecording(resolveOptions('recordMemory', options, OPTIONS));
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
 * recording.samples().length; // => 1
 * ```
 */
export class MemoryRecording implements Disposable {
  readonly #timeline = new Timeline();
  readonly #settings: RecordSettings;
  readonly #memory: MemorySource;
  readonly #startedAt: number;
  #timer: TimerHandle | undefined;
  #hasStopped = false;

  /** @internal */
  constructor(settings: RecordSettings) {
    const memory = settings.memory ?? hostMemorySource();
    if (memory === undefined) throw new NoMemoryFiguresError();
    this.#settings = settings;
    this.#memory = memory;
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
    if (!this.#hasStopped) this.#read(label);
  }

  /** Gives the readings, oldest first. */
  samples(): MemorySample[] {
    return this.#timeline.samples();
  }

  /** Gives the readings as JSON, one a line: what `npx tenure plot` reads. */
  toJsonLines(): string {
    return this.samples()
      .map((sample) => `${JSON.stringify(sample)}\n`)
      .join('');
  }

  /** Gives the plot of the readings, as {@link plotMemory} draws it. */
  plot(title: string): string {
    return plotMemory(this.samples(), { title });
  }

  /** Ends the recording. The readings stay. */
  [Symbol.dispose](): void {
    this.#hasStopped = true;
    if (this.#timer !== undefined) this.#settings.clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  #arm(): void {
    const { clock, everyMillis } = this.#settings;
    this.#timer = clock.setTimer(
      () => {
        this.#read('');
        this.#arm();
      },
      everyMillis,
      { background: true },
    );
  }

  #read(label: string): void {
    const atMillis = this.#settings.clock.now() - this.#startedAt;
    this.#timeline.add(atMillis, this.#memory.memoryUsage(), label);
  }
}

/**
 * Reads what {@link MemoryRecording.toJsonLines} has written.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a line that is no reading, with its number.
 *
 * @example
 * ```ts
 * import { parseMemorySamples, recordMemory } from 'tenure/profile';
 *
 * using recording = recordMemory();
 * parseMemorySamples(recording.toJsonLines()).length; // => 1
 * ```
 */
export function parseMemorySamples(text: string): MemorySample[] {
  return text.split('\n').flatMap((line, i) => {
    if (line.trim() === '') return [];
    const sample = parseLine(line);
    if (sample !== undefined) return [sample];
    throw new InvalidArgumentError(
      `parseMemorySamples: line ${i + 1} is no reading of memory. Pass what \`recording.toJsonLines()\` gives.`,
    );
  });
}

const FIGURES = ['atMillis', 'heapUsed', 'arrayBuffers', 'external', 'rss'] as const;

function parseLine(line: string): MemorySample | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  const sample = value as MemorySample | null;
  if (typeof sample !== 'object' || sample === null) return undefined;
  if (!FIGURES.every((name) => Number.isFinite(sample[name]))) return undefined;
  const { atMillis, heapUsed, arrayBuffers, external, rss, label } = sample;
  const figures = { atMillis, heapUsed, arrayBuffers, external, rss };
  return typeof label === 'string' ? { ...figures, label } : figures;
}
