/**
 * Traces what the program tracks and what components hand out, line by line: CPython's tracemalloc. V8 does not tell which line
 * allocated an object. A tracer knows it of the objects that matter, exactly, since it takes the line when one is handed out.
 */
/// <reference lib="esnext.disposable" preserve="true" />

import { DeathRegistry } from '../../core/death-registry.js';
import { AlreadyWatchedError, nameErrorClass, TenureError } from '../../core/errors.js';
import { isObject } from '../../core/is-object.js';
import {
  aName,
  checkArgument,
  integer,
  numberAtLeast,
  type OptionCheck,
  option,
  resolveOptions,
} from '../../core/options.js';
import { aWatchable, observe, type Watchable } from '../../core/probe.js';
import { type BytesByKind, ComponentTracer } from './component-tracer.js';
import { TraceSnapshot } from './trace-snapshot.js';
import { type LiveTrace, type TracedMemory, Traces } from './traces.js';

/** Options of {@link Tracer.watch}. */
export interface TraceWatchOptions {
  /**
   * Bytes that each thing of a kind stands for: `{ lease: 64_000, entry: 200 }`.
   *
   * @default 0 bytes each: things are counted
   */
  readonly bytes?: BytesByKind;
}

const aBytesTable: OptionCheck = (value) =>
  typeof value === 'object' &&
  value !== null &&
  Object.values(value).every((bytes) => typeof bytes === 'number' && bytes >= 0)
    ? undefined
    : 'an object from kinds to numbers of bytes ≥ 0';

/**
 * A tracer with the interface of CPython's tracemalloc.
 *
 * It traces objects that the program passes to `track`, until V8 collects them, and what watched components hand out, until it
 * comes back. Tracing one thing takes 5 to 15 µs, most of it for the stack. A component may have a watchdog and several tracers at
 * the same time; each may end first.
 *
 * @example
 * ```ts
 * import { createPool } from 'tenure/pool';
 * import { Tracer } from 'tenure/profile';
 *
 * using tracer = new Tracer();
 * await using pool = createPool({ create: () => ({}), destroy: () => {} }, { name: 'db' });
 * tracer.watch(pool, { bytes: { lease: 1_000 } });
 * tracer.start();
 *
 * const before = tracer.takeSnapshot();
 * const leases = [await pool.lease(), await pool.lease()];
 * const [line] = tracer.takeSnapshot().filter({ inclusive: true, kind: 'pool "db" lease' }).compareTo(before, 'line');
 * [line?.countDiff, line?.sizeDiff]; // => [2, 2000]
 * for (const lease of leases) await lease.release();
 * tracer.tracedMemory(); // => { current: 0, peak: 2000 }
 * ```
 */
export class Tracer implements Disposable {
  readonly #traces = new Traces();
  readonly #components = new Set<ComponentTracer>();
  readonly #watched = new WeakMap<Watchable, ComponentTracer>();
  readonly #deaths: DeathRegistry<LiveTrace>;
  /** Ends the watch of a component that V8 has collected. */
  readonly #componentDeaths: FinalizationRegistry<ComponentTracer>;

  /** Traces nothing yet. */
  constructor() {
    const traces = this.#traces;
    this.#deaths = new DeathRegistry((trace) => traces.remove(trace));
    this.#componentDeaths = new FinalizationRegistry((component) => this.#unwatch(component));
  }

  /** Whether traces are taken. */
  get isTracing(): boolean {
    return this.#traces.isTracing;
  }

  /**
   * Begins to trace what is tracked and handed out from now on. `frames` is how many lines of the application are kept of each
   * traceback, by default 1. If the tracer runs already, later tracebacks have that many.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a number of frames that is no integer from 1 to 200.
   */
  start(frames: number = 1): void {
    checkArgument('tracer.start', 'frames', frames, integer(1, 200));
    this.#traces.start(frames);
  }

  /** Stops tracing, and forgets all traces. */
  stop(): void {
    this.#traces.stop();
  }

  /** Forgets all traces, and goes on tracing. */
  clearTraces(): void {
    this.#traces.clear();
  }

  /**
   * Traces an object until V8 has collected it, and gives it back. Without effect while the tracer does not run. `bytes` is what
   * it stands for, by default 0. `kind` is by default the name of its constructor.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a target that is no object, bytes that are no number
   * from 0 on, or an empty kind.
   */
  track<T extends WeakKey>(target: T, bytes: number = 0, kind: string = kindOf(target)): T {
    checkArgument('tracer.track', 'target', target, anObject);
    checkArgument('tracer.track', 'bytes', bytes, someBytes);
    checkArgument('tracer.track', 'kind', kind, aName);
    if (this.isTracing) {
      const trace = this.#traces.add(kind, bytes, this.#traces.tracebackOf(this.track));
      this.#deaths.register(target, trace);
    }
    return target;
  }

  /**
   * Traces what a component hands out while the tracer runs. The tracer holds the component weakly. The watch ends when the
   * result or the tracer is disposed of.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if the component cannot be watched, or for an unknown or
   * malformed option.
   * @throws {@link AlreadyWatchedError} (`TENURE_ALREADY_WATCHED`) while this tracer watches it.
   */
  watch(component: Watchable, options: TraceWatchOptions = {}): Disposable {
    checkArgument('tracer.watch', 'component', component, aWatchable);
    const { bytes } = resolveOptions('tracer.watch', options, {
      bytes: option<BytesByKind>(aBytesTable, {}),
    });
    const present = this.#watched.get(component);
    if (present !== undefined && this.#components.has(present)) {
      throw new AlreadyWatchedError('The component');
    }
    const watch = new ComponentTracer(this.#traces, bytes);
    const observation = component[observe](watch);
    this.#watched.set(component, watch);
    watch.attached(observation);
    this.#components.add(watch);
    this.#componentDeaths.register(observation, watch, watch);
    return { [Symbol.dispose]: () => this.#unwatch(watch) };
  }

  /**
   * Gives the traces of this moment. O(traces).
   *
   * @throws {@link NotTracingError} (`TENURE_NOT_TRACING`) while the tracer does not run.
   */
  takeSnapshot(): TraceSnapshot {
    if (!this.isTracing) throw new NotTracingError();
    return new TraceSnapshot(this.#traces.list(), this.#traces.frames);
  }

  /** Gives the bytes of all traces now, and at most since the start or the last {@link resetPeak}. O(1). */
  tracedMemory(): TracedMemory {
    return this.#traces.memory;
  }

  /** Makes the peak what the traces sum to now. */
  resetPeak(): void {
    this.#traces.resetPeak();
  }

  /** Stops tracing, and ends all watches. */
  [Symbol.dispose](): void {
    this.stop();
    for (const component of [...this.#components]) this.#unwatch(component);
  }

  #unwatch(component: ComponentTracer): void {
    if (!this.#components.delete(component)) return;
    this.#componentDeaths.unregister(component);
    component.close();
  }
}

/** Error for a snapshot of a tracer that does not run. Code `TENURE_NOT_TRACING`. */
export class NotTracingError extends TenureError {
  /** Says what to call first. */
  constructor() {
    super(
      'tracer.takeSnapshot: the tracer does not run. Call `start` before what is to be traced.',
      {
        code: 'TENURE_NOT_TRACING',
      },
    );
  }

  static {
    nameErrorClass(NotTracingError, 'NotTracingError');
  }
}

const anObject: OptionCheck = (value) => (isObject(value) ? undefined : 'an object or a function');

const someBytes: OptionCheck = (value) =>
  numberAtLeast(0)(value) === undefined && Number.isFinite(value)
    ? undefined
    : 'a number of bytes ≥ 0';

/** Gives the name of an object's constructor. Foreign getters may throw. */
function kindOf(target: unknown): string {
  try {
    const name: unknown = (target as { constructor?: { name?: unknown } }).constructor?.name;
    return typeof name === 'string' && name !== '' ? name : 'object';
  } catch {
    return 'object';
  }
}
