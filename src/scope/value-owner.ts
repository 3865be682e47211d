/** What the cells of one RefCounted or RefCountedMap share: its settings, its observer, and the waits for a state of it. */
/// <reference lib="esnext.disposable" preserve="true" />
import type { Clock } from '../core/clock.js';
import { ConditionWaits } from '../core/condition-waits.js';
import { guardedCall } from '../core/guarded-call.js';
import type { Observation, Observer } from '../core/probe.js';
import { followUntilAbort } from '../core/signal-waits.js';
import { currentEnds, whileWaiting } from './current-ends.js';
import { gatheredEnds } from './gathered-ends.js';
import type { SharedSettings } from './ref-counted-options.js';
import type { CellOwner, SharedCell } from './shared-cell.js';
import { ValueWatch, type WatchedValues } from './value-watch.js';

const CLASSES = { 'ref-counted': 'RefCounted', 'ref-counted-map': 'RefCountedMap' } as const;

/** The common part of the cells of one component. */
export class ValueOwner<T> implements CellOwner<T> {
  readonly label: string;
  readonly clock: Clock;
  readonly overlap: boolean;
  readonly acquireTimeoutMillis: number;
  readonly createTimeoutMillis: number | undefined;
  watch: ValueWatch | null = null;
  live = 0;
  leaving = 0;
  readonly #kind: WatchedValues['kind'];
  readonly #name: string;
  readonly #waits: ConditionWaits;
  readonly #settings: SharedSettings<never>;
  readonly #onChange: (cell: SharedCell<never>) => void;

  constructor(
    kind: WatchedValues['kind'],
    settings: SharedSettings<T>,
    onChange: (cell: SharedCell<T>) => void = () => {},
  ) {
    const { name, clock, overlap, acquireTimeoutMillis, createTimeoutMillis } = settings;
    this.label = `The ${CLASSES[kind]} '${name}'`;
    this.clock = clock;
    this.overlap = overlap;
    this.acquireTimeoutMillis = acquireTimeoutMillis;
    this.createTimeoutMillis = createTimeoutMillis;
    this.#kind = kind;
    this.#name = name;
    this.#settings = settings;
    this.#waits = new ConditionWaits(clock);
    this.#onChange = onChange;
  }

  dispose(value: T): unknown {
    return this.#settings.dispose(value as never);
  }

  onError(error: unknown): void {
    guardedCall(`onError of '${this.#name}'`, () => this.#settings.onError(error));
  }

  changed(cell: SharedCell<T>): void {
    this.#onChange(cell as SharedCell<never>);
    this.#waits.check();
  }

  /** Resolves when `isMet` holds. It is asked after each change. Rejects with the reason of `signal` as soon as that aborts. */
  async until(isMet: () => boolean, signal: AbortSignal | undefined): Promise<void> {
    if (signal === undefined) {
      await this.#waits.until(isMet);
      return;
    }
    let hasLeft = false;
    const wait = this.#waits.until(() => hasLeft || isMet());
    await followUntilAbort(wait, signal, () => {
      hasLeft = true;
      this.#waits.check();
    });
  }

  /**
   * Resolves when `isQuietBut` holds for the disposals that the caller is part of. Rejects with the reason of `signal` as soon as that
   * aborts.
   */
  async untilQuiet(
    isQuietBut: (ends: ReadonlySet<object>) => boolean,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const ends = currentEnds();
    await whileWaiting(ends, this, () =>
      gatheredEnds([this.until(() => isQuietBut(ends), signal)], signal),
    );
  }

  /** Attaches an observer. Throws {@link AlreadyWatchedError} while one is attached that does not share the component with it. */
  observe(observer: Observer, values: Pick<WatchedValues, 'instances' | 'stats'>): Observation {
    this.watch ??= new ValueWatch(
      {
        ...values,
        kind: this.#kind,
        name: this.#name,
        unwatched: () => {
          this.watch = null;
        },
      },
      observer,
    );
    return this.watch.attach(observer);
  }
}
