/** What happens inside a buffer pool: leases, their notes for errors and reports, and the sweep that drops idle memory. */
import type { Clock, TimerHandle } from '../core/clock.js';
import { guardedClock } from '../core/guarded-clock.js';
import { runInOwnContext } from '../core/own-context.js';
import type { EntryPoint, Observation, Observer } from '../core/probe.js';
import { SiteSample } from '../core/site-sample.js';
import { BufferLease, type LeaseLender, type LeaseNotes } from './buffer-lease.js';
import type { BufferPart } from './buffer-slab.js';
import { BufferStock, type BufferStockSettings } from './buffer-stock.js';
import { ExportsWatch } from './exports-watch.js';
import { ViewReleasedError } from './view-errors.js';

/** The options of a pool with their defaults. */
export interface BufferPoolEngineSettings extends BufferStockSettings {
  readonly idleTimeoutMillis: number;
  readonly name: string;
  readonly clock: Clock;
}

/** The inside of a {@link BufferPool}. */
export class BufferPoolEngine implements LeaseLender {
  readonly name: string;
  readonly stock: BufferStock;
  /** Whether the next lease has notes: its stack is in the sample, or the pool is watched. */
  isNoting = true;
  readonly #clock: Clock;
  readonly #idleTimeoutMillis: number;
  readonly #sites = new SiteSample('sampled');
  #watch: ExportsWatch | null = null;
  #timer: TimerHandle | null = null;
  #isClosed = false;

  constructor(settings: BufferPoolEngineSettings) {
    this.name = settings.name;
    this.stock = new BufferStock(settings);
    this.#clock = guardedClock(settings.clock);
    this.#idleTimeoutMillis = settings.idleTimeoutMillis;
  }

  /** Lends bytes without notes. */
  lend(bytes: number): BufferLease {
    if (this.#isClosed) throw this.#closedError();
    return new BufferLease(this, this.stock.take(bytes));
  }

  /** Lends bytes to the caller of `entry`, and notes it. */
  lendNoted(bytes: number, entry: EntryPoint): BufferLease {
    const lease = this.lend(bytes);
    const watch = this.#watch;
    const stack = this.#sites.take(entry);
    lease.note({ stack, watch, node: watch?.opened(lease, entry) });
    this.#updateNoting();
    return lease;
  }

  takeBack(part: BufferPart, notes: LeaseNotes | null, isLeftToViews: boolean): void {
    this.stock.giveBack(part, isLeftToViews);
    if (this.#timer === null && !this.#isClosed) this.#setTimer();
    if (notes?.node !== undefined) notes.watch?.closed(notes.node);
  }

  countMisuse(): boolean {
    if (this.#watch?.countsMisuse !== true) return false;
    this.stock.misuse++;
    return true;
  }

  trim(): void {
    this.stock.trim();
    this.#clearTimer();
  }

  close(): void {
    this.#isClosed = true;
    this.stock.close();
    this.#clearTimer();
  }

  observe(observer: Observer): Observation {
    if (this.#watch !== null) return this.#watch.attach(observer);
    const watch = new ExportsWatch(
      {
        kind: 'buffer-pool',
        name: this.name,
        releaseAdvice:
          'hold the lease with `using lease = pool.lease(bytes)` and its views with `using` after it, or pass the work to `pool.use(bytes, fn)`',
        stats: () => ({ ...this.stock.stats() }),
        unwatched: () => this.#setWatch(null),
      },
      observer,
    );
    this.#setWatch(watch);
    return watch.attach(observer);
  }

  #setWatch(watch: ExportsWatch | null): void {
    this.#watch = watch;
    this.stock.watch = watch;
    this.#updateNoting();
  }

  #updateNoting(): void {
    this.isNoting = this.#watch !== null || this.#sites.isOpen;
  }

  #setTimer(): void {
    if (this.#idleTimeoutMillis === Number.POSITIVE_INFINITY) return;
    const background = { background: true };
    this.#timer = runInOwnContext(() =>
      this.#clock.setTimer(() => this.#tick(), this.#idleTimeoutMillis, background),
    );
  }

  #tick(): void {
    this.#timer = null;
    this.stock.tick();
    this.#sites.tick(0, this.#clock.now());
    this.#updateNoting();
    if (this.stock.idleBytes > 0) this.#setTimer();
  }

  #clearTimer(): void {
    if (this.#timer !== null) this.#clock.clearTimer(this.#timer);
    this.#timer = null;
  }

  #closedError(): ViewReleasedError {
    return new ViewReleasedError(
      `${this.name}: no bytes are leased after the pool was disposed of. Dispose of it when the last user has stopped.`,
    );
  }
}
