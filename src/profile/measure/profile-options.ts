/** Options of profiles, and what they resolve to. */
import { type Clock, systemClock } from '../../core/clock.js';
import { type GcSource, hostGcSource, NoCollectorError } from '../../core/gc-source.js';
import {
  aBoolean,
  integer,
  type OptionTable,
  objectWith,
  option,
  optional,
  resolveOptions,
} from '../../core/options.js';
import { NoMemoryFiguresError } from '../profile-errors.js';
import { hostMemorySource, MemoryReader, type MemorySource } from './memory-source.js';

/** Where the figures of a profile come from. */
export interface MeasureOptions {
  /**
   * Collects before each reading, so that only what is retained counts. Without it, dead objects count too.
   *
   * @default true
   */
  readonly gc?: boolean;
  /**
   * Collector to run before each reading.
   *
   * @default V8's own
   */
  readonly gcSource?: GcSource;
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

/** Options of {@link profileMemory}. */
export interface ProfileOptions extends MeasureOptions {
  /**
   * How many times the body is run and measured. From 8 on, a row tells whether its calls leak.
   *
   * @default 1
   */
  readonly calls?: number;
  /**
   * How many times the body is run before that, without marks. V8 compiles code meanwhile.
   *
   * @default 0
   */
  readonly warmup?: number;
}

export interface MeasureSettings {
  readonly gc: boolean;
  readonly gcSource: GcSource | undefined;
  readonly memory: MemorySource | undefined;
  readonly clock: Clock;
}

export interface ProfileSettings extends MeasureSettings {
  readonly calls: number;
  readonly warmup: number;
}

export const MEASURE_OPTIONS: OptionTable<MeasureSettings> = {
  gc: option(aBoolean, true),
  gcSource: optional(objectWith('collect')),
  memory: optional(objectWith('memoryUsage')),
  clock: option(objectWith('now', 'setTimer', 'clearTimer'), systemClock),
};

const PROFILE_OPTIONS: OptionTable<ProfileSettings> = {
  ...MEASURE_OPTIONS,
  calls: option(integer(1), 1),
  warmup: option(integer(0), 0),
};

export function resolveProfileOptions(options: ProfileOptions): ProfileSettings {
  return resolveOptions('profileMemory', options, PROFILE_OPTIONS);
}

/** Makes the reader of a profile. Throws if the host lacks what it needs. */
export function makeReader({ gc, gcSource, memory, clock }: MeasureSettings): MemoryReader {
  const source = memory ?? hostMemorySource();
  if (source === undefined) throw new NoMemoryFiguresError();
  const collector = gc ? (gcSource ?? hostGcSource()) : undefined;
  if (gc && collector === undefined) {
    throw new NoCollectorError('Pass `gcSource`, or `gc: false` to count dead objects too.');
  }
  return new MemoryReader({
    memory: source,
    gcSource: collector,
    pause: (millis) => new Promise((resolve) => clock.setTimer(resolve, millis)),
  });
}
