/** The decorator that profiles a method, as Memory Profiler's `@profile` does. */
import { InvalidArgumentError } from '../../core/errors.js';
import { guardedCall } from '../../core/guarded-call.js';
import { notGenerator } from '../../core/not-generator.js';
import {
  aFunction,
  aName,
  type OptionTable,
  optional,
  resolveOptions,
} from '../../core/options.js';
import { MemoryReport } from './memory-report.js';
import type { MemoryReader } from './memory-source.js';
import { noiseOf } from './noise.js';
import { OtherWork } from './other-work.js';
import { measuredRun } from './profile-memory.js';
import {
  MEASURE_OPTIONS,
  type MeasureOptions,
  type MeasureSettings,
  makeReader,
} from './profile-options.js';
import { callSite } from './recording.js';
import { RowTable } from './row-table.js';
import { Timeline } from './timeline.js';

/** Options of {@link profiled}. */
export interface ProfiledOptions extends MeasureOptions {
  /**
   * Name of the profile.
   *
   * @default the name of the method
   */
  readonly name?: string;
  /** Called after each call of the method, with the report of all calls so far. What it throws is printed. */
  readonly onReport?: (report: MemoryReport) => void;
}

interface ProfiledSettings extends MeasureSettings {
  readonly name: string | undefined;
  readonly onReport: ((report: MemoryReport) => void) | undefined;
}

/** The settings of one method: without the option, the name is the method's. */
type MethodSettings = ProfiledSettings & { readonly name: string };

const OPTIONS: OptionTable<ProfiledSettings> = {
  ...MEASURE_OPTIONS,
  name: optional(aName),
  onReport: optional(aFunction),
};

/** A method that returns a promise. */
export type AsyncMethod = (this: never, ...args: never[]) => Promise<unknown>;

/** The decorator that {@link profiled} returns: for the standard's decorators, and for `experimentalDecorators`. */
export interface ProfiledDecorator {
  <This, M extends AsyncMethod>(method: M, context: ClassMethodDecoratorContext<This>): M;
  <M extends AsyncMethod>(
    target: object,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<M>,
  ): TypedPropertyDescriptor<M>;
}

const profilesByMethod = new WeakMap<WeakKey, MethodProfile>();

/**
 * Measures each call of an async method. All calls add up to one table, and {@link profileOf} gives it. The last row is the
 * line of the decorator; {@link markMemory} in the method adds rows.
 *
 * Each call waits for collections, as with `profileMemory`. So decorate a method in a test or a script. The method must
 * return a promise: a measurement has to wait.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option, or if it decorates
 * no method.
 *
 * @example
 * ```ts
 * import { profiled, profileOf } from 'tenure/profile';
 *
 * class Orders {
 *   readonly seen: string[] = [];
 *   @profiled({ gc: false })
 *   async load(id: string): Promise<number> {
 *     return this.seen.push(id.repeat(100));
 *   }
 * }
 * const orders = new Orders();
 * await orders.load('a'); // => 1
 * await orders.load('b'); // => 2
 * profileOf(orders.load).rows.map(({ label, calls }) => [label, calls]); // => [['(call)', 2]]
 * ```
 */
export function profiled(options: ProfiledOptions = {}): ProfiledDecorator {
  const settings = resolveOptions('profiled', options, OPTIONS);
  const site = callSite(profiled);
  const decorate = (method: unknown, name: string): AsyncMethod => {
    if (typeof method !== 'function') {
      throw new InvalidArgumentError(`profiled: it decorates methods, \`${name}\` is none.`);
    }
    return profiledMethod(
      method as AsyncMethod,
      { ...settings, name: settings.name ?? name },
      site,
    );
  };
  function decorator(
    target: unknown,
    contextOrKey: { readonly kind: string; readonly name: string | symbol } | string | symbol,
    descriptor?: PropertyDescriptor,
  ): unknown {
    if (typeof contextOrKey !== 'object') {
      return { ...descriptor, value: decorate(descriptor?.value, String(contextOrKey)) };
    }
    const { kind, name } = contextOrKey;
    return decorate(kind === 'method' ? target : undefined, String(name));
  }
  return decorator as ProfiledDecorator;
}

/**
 * Gives the table of all calls of a method that {@link profiled} decorates.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if the method is not decorated.
 *
 * @example
 * ```ts
 * import { profileOf } from 'tenure/profile';
 *
 * let message = '';
 * try {
 *   profileOf(async () => {});
 * } catch (error) {
 *   message = String(error);
 * }
 * message.includes('not decorated'); // => true
 * ```
 */
export function profileOf(method: (...args: never[]) => unknown): MemoryReport {
  const profile = profilesByMethod.get(method);
  if (profile === undefined) {
    throw new InvalidArgumentError('profileOf: the method is not decorated with `profiled`.');
  }
  return profile.report();
}

function profiledMethod(method: AsyncMethod, settings: MethodSettings, site: string): AsyncMethod {
  const { name } = settings;
  const profile = new MethodProfile(settings, site);
  const replacement = {
    [name](this: unknown, ...args: unknown[]): Promise<unknown> {
      return profile.call(() => notGenerator('profiled', Reflect.apply(method, this, args)));
    },
  }[name] as AsyncMethod;
  Object.defineProperty(replacement, 'length', { value: method.length, configurable: true });
  profilesByMethod.set(replacement, profile);
  return replacement;
}

/** The table of one method. */
class MethodProfile {
  readonly #settings: MethodSettings;
  readonly #site: string;
  readonly #table = new RowTable();
  readonly #timeline = new Timeline();
  #reader: MemoryReader | undefined;
  #startedAt = 0;

  constructor(settings: MethodSettings, site: string) {
    this.#settings = settings;
    this.#site = site;
  }

  async call(body: () => Promise<unknown>): Promise<unknown> {
    const otherWork = new OtherWork();
    try {
      return await otherWork.run(async () => {
        const parts = { ...(await this.#prepare(otherWork)), otherWork };
        otherWork.takeOverlap();
        return await measuredRun(parts, body, '(call)', this.#site);
      });
    } finally {
      otherWork.end();
      const { onReport, name } = this.#settings;
      if (onReport !== undefined) {
        guardedCall(`onReport of the profile of ${name}`, () => onReport(this.report()));
      }
    }
  }

  report(): MemoryReport {
    return new MemoryReport({
      name: this.#settings.name,
      rows: this.#table.rows(),
      samples: this.#timeline.samples(),
      noise: this.#table.noise,
      collected: this.#settings.gc,
      warmup: { runs: 0, heapUsed: 0 },
    });
  }

  /** Reads the memory before the call; at the first call, finds the noise. */
  async #prepare(otherWork: OtherWork) {
    const { clock } = this.#settings;
    const isFirst = this.#reader === undefined;
    const reader = this.#reader ?? makeReader(this.#settings);
    if (isFirst) this.#startedAt = clock.now();
    this.#reader = reader;
    const startedAt = this.#startedAt;
    if (isFirst) this.#table.noise = await noiseOf({ reader, clock, otherWork, startedAt });
    else await reader.read(true);
    this.#timeline.add(clock.now() - startedAt, reader.last);
    return { reader, table: this.#table, timeline: this.#timeline, clock, startedAt };
  }
}
