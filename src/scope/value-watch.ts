/**
 * Reports shared values and their leases to an observer. A value that is in use is held by its leases, and otherwise by its
 * component. So values that hold leases on each other, and on which no other code has a lease, are a cycle.
 *
 * ```
 *   component ──▶ value, idle
 *   scope ──▶ lease ──▶ value in use ──▶ lease on what it took while it was created
 * ```
 *
 * Leases that were given before the watch are left out, because their callers are not known.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import {
  type ComponentStats,
  type EntryPoint,
  type Holder,
  type NodeId,
  type Observer,
  type Origin,
  sharesComponent,
} from '../core/probe.js';
import { SharedWatch } from '../core/shared-watch.js';
import type { SharedInstance } from './shared-instance.js';

/** A RefCounted or a RefCountedMap as its watch sees it. */
export interface WatchedValues {
  readonly kind: 'ref-counted' | 'ref-counted-map';
  readonly name: string;
  instances(): Iterable<SharedInstance<unknown>>;
  stats(): ComponentStats;
  /** Told that the watch has ended. */
  unwatched(): void;
}

/** The watch over shared values. */
export class ValueWatch extends SharedWatch {
  readonly kind: 'ref-counted' | 'ref-counted-map';
  readonly name: string;
  override readonly lendsShared = true;
  readonly #values: WatchedValues;

  constructor(values: WatchedValues, observer: Observer) {
    super(observer, `the ${values.kind} '${values.name}'`);
    this.kind = values.kind;
    this.name = values.name;
    this.#values = values;
  }

  stats(): ComponentStats {
    return this.#values.stats();
  }

  /** Takes the line and the scope of a caller of `entry`. */
  origin(entry: EntryPoint): Origin {
    return this.observer.origin(entry);
  }

  /** Reports a value whose creation begins. */
  created(instance: SharedInstance<unknown>): void {
    instance.reporter = this.observer;
    instance.reported = this.observer.allocated('value', this.observer.root);
  }

  /** Reports that a value has been created. */
  made(instance: SharedInstance<unknown>): void {
    if (instance.reported !== undefined) this.observer.made(instance.reported);
  }

  /** Reports a lease, which `capability` alone can end. Gives its node. */
  lent(
    instance: SharedInstance<unknown>,
    origin: Origin | undefined,
    capability: WeakKey,
  ): NodeId | undefined {
    if (origin === undefined) return undefined;
    instance.reported ??= this.#introduced(instance);
    const lease = this.observer.lent(instance.reported, origin, capability);
    if (this.#isKnownToMain(lease) && ++instance.reportedLeases === 1) {
      this.observer.dropped(this.observer.root, instance.reported);
    }
    return lease;
  }

  /** Reports the end of a lease. The component then holds the value, unless another lease that is known does. */
  released(instance: SharedInstance<unknown>, lease: NodeId | undefined): void {
    if (lease === undefined) return;
    const { reported } = instance;
    const isLast = this.#isKnownToMain(lease) && --instance.reportedLeases === 0;
    if (isLast && reported !== undefined) this.observer.referenced(this.observer.root, reported);
    this.observer.freed(lease);
  }

  #isKnownToMain(lease: NodeId): boolean {
    return this.observer.idForMain(lease) !== undefined;
  }

  /** Reports that `to` holds a lease from now on. */
  transferred(lease: NodeId, to: Holder): void {
    if (!this.hasEnded) this.observer.transferred(lease, to);
  }

  /** Reports that the holder of a lease means to keep it. */
  expected(lease: NodeId, holdMillis: number): void {
    if (!this.hasEnded) this.observer.expected(lease, holdMillis);
  }

  /** Reports that a value is being disposed of. */
  ending({ reported }: SharedInstance<unknown>): void {
    if (reported !== undefined) this.observer.ending(reported);
  }

  /** Reports the end of a value. */
  freed(instance: SharedInstance<unknown>): void {
    const { reported } = instance;
    instance.reported = undefined;
    if (reported !== undefined) this.observer.freed(reported);
  }

  protected override *present(observer: Observer): Generator<undefined> {
    for (const instance of this.#values.instances()) {
      if (instance.reported === undefined) instance.reported = this.#introduced(instance);
      else if (!this.observer.knows(observer, instance.reported)) {
        if (!sharesComponent(observer)) instance.reportedLeases = 0; // It does not know the leases from before.
        this.observer.present(observer, instance.reported, 'value');
      }
      yield;
    }
  }

  /** Reports a value that was there before all observers. */
  #introduced(instance: SharedInstance<unknown>): NodeId {
    instance.reportedLeases = 0;
    instance.reporter = this.observer;
    return this.observer.allocated('value', this.observer.root);
  }

  protected override ended(): void {
    for (const instance of this.#values.instances()) {
      instance.reported = undefined;
      instance.reporter = undefined;
    }
    this.#values.unwatched();
  }
}
