/**
 * Bytes that cannot change their length while they are viewed, after Python's bytearray.
 *
 * JavaScript cannot lock an ArrayBuffer: `transfer()` succeeds while views are alive. An exporter owns its buffer, so it can count
 * the views and refuse. The count needs `release`: a `FinalizationRegistry` would cost 200 ns for each slice.
 *
 * The capacity grows to an eighth more than was asked for, so that growing byte by byte is O(1) a byte.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { nameClass } from '../core/class-name.js';
import { created, endAutomaticWatch } from '../core/created-components.js';
import {
  aName,
  checkArgument,
  integer,
  type OptionTable,
  option,
  resolveOptions,
} from '../core/options.js';
import { type Observation, type Observer, observe, type Watchable } from '../core/probe.js';
import { type BytesPlace, bytesAt, type CountingSource, exportedRegion } from './byte-source.js';
import { ExportsWatch } from './exports-watch.js';
import { makeView } from './make-view.js';
import type { ViewRegion } from './memory-view.js';
import { Region } from './region.js';
import { ViewExportedError } from './view-errors.js';

/** Options of an {@link Exporter}. */
export interface ExporterOptions {
  /**
   * The name of the exporter in reports and errors.
   *
   * @default 'exporter'
   */
  readonly name?: string;
}

const OPTIONS: OptionTable<Required<ExporterOptions>> = { name: option(aName, 'exporter') };

const aLength = integer(0);

/**
 * Bytes that can be resized, but not while a view of them is alive. A new exporter has bytes of 0. Views are counted from
 * `memoryview`, `slice`, `cast` and `toReadonly` to `release`; a view that is dropped without `release` counts for ever. A
 * watchdog that watches the exporter names the line of such a view.
 *
 * @example
 * ```ts
 * import { Exporter, memoryview } from 'tenure/view';
 *
 * const bytes = new Exporter(4);
 * const view = memoryview(bytes);
 * view.set(0, 65);
 * bytes.exports; // => 1
 * let code: unknown;
 * try {
 *   bytes.resize(8);
 * } catch (error) {
 *   code = (error as { code: string }).code;
 * }
 * code; // => 'TENURE_VIEW_EXPORTED'
 * view.release();
 * bytes.resize(8);
 * bytes.length; // => 8
 * ```
 */
export class Exporter implements Watchable, CountingSource {
  readonly #name: string;
  #buffer: ArrayBuffer;
  #length: number;
  #region: ViewRegion | null = null;
  #watch: ExportsWatch | null = null;

  /**
   * Makes `bytes` bytes of 0.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a length or an option that is malformed; `RangeError`
   * if the engine has no memory of that length.
   */
  constructor(bytes: number, options: ExporterOptions = {}) {
    checkArgument('new Exporter', 'bytes', bytes, aLength);
    this.#name = resolveOptions('new Exporter', options, OPTIONS).name;
    this.#buffer = new ArrayBuffer(bytes);
    this.#length = bytes;
    created(this);
  }

  /** How many bytes there are. */
  get length(): number {
    return this.#length;
  }

  /** How many views are alive. */
  get exports(): number {
    return this.#region?.exports ?? 0;
  }

  /**
   * Changes the number of bytes. Bytes are cut off at the end, or bytes of 0 are added there. O(1) for each byte that is added or
   * cut off, amortised. The present length changes nothing, and is never refused.
   *
   * @throws {@link ViewExportedError} (`TENURE_VIEW_EXPORTED`) while views are alive; {@link ViewDetachedError}
   * (`TENURE_VIEW_DETACHED`) if its buffer was transferred; {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a malformed
   * length; `RangeError` if the engine has no memory of that length. The bytes stay as they are then.
   */
  resize(bytes: number): void {
    checkArgument('Exporter.resize', 'bytes', bytes, aLength);
    if (bytes === this.#length) return;
    const { exports } = this;
    if (exports > 0) {
      throw new ViewExportedError(
        `${this.#name}: cannot be resized from ${this.#length} to ${bytes} bytes while ${exports} of its views ${exports === 1 ? 'is' : 'are'} alive. Release them first; a watchdog that watches the exporter names their lines.`,
        exports,
      );
    }
    const capacity = this.#buffer.byteLength;
    if (bytes > capacity || bytes < capacity / 2) this.#reallocate(bytes);
    else if (bytes < this.#length)
      bytesAt({ buffer: this.#buffer, byteOffset: bytes, byteLength: this.#length - bytes }).fill(
        0,
      );
    this.#length = bytes;
    this.#region = null;
  }

  /** Gives the region that the views are made of. `memoryview` calls it. */
  [exportedRegion](): BytesPlace {
    if (this.#region === null) {
      this.#region = new Region(this.#buffer, 0, this.#length, makeView);
      this.#region.watch = this.#watch;
    }
    return this.#region;
  }

  /**
   * Attaches an observer, such as a watchdog, which is told when a view is made or released.
   *
   * @throws {@link AlreadyWatchedError} (`TENURE_ALREADY_WATCHED`) while another observer is attached that does not share it.
   */
  [observe](observer: Observer): Observation {
    endAutomaticWatch(this, observer);
    if (this.#watch !== null) return this.#watch.attach(observer);
    const watch = new ExportsWatch(
      {
        kind: 'exporter',
        name: this.#name,
        releaseAdvice:
          'hold the view with `using view = memoryview(exporter)`, or call `view.release()` in a `finally` block',
        stats: () => ({ exports: this.exports, bytes: this.#length }),
        unwatched: () => this.#setWatch(null),
      },
      observer,
    );
    this.#setWatch(watch);
    return watch.attach(observer);
  }

  #setWatch(watch: ExportsWatch | null): void {
    this.#watch = watch;
    if (this.#region !== null) this.#region.watch = watch;
  }

  #reallocate(bytes: number): void {
    const buffer = new ArrayBuffer(bytes > this.#length ? bytes + Math.floor(bytes / 8) : bytes);
    const kept = Math.min(bytes, this.#length);
    new Uint8Array(buffer).set(bytesAt({ buffer: this.#buffer, byteOffset: 0, byteLength: kept }));
    this.#buffer = buffer;
  }

  static {
    nameClass(Exporter.prototype, 'an Exporter');
  }
}
