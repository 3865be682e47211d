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

  /** Reports a lease, which `capability` alone can end. Gives its node. */
  lent(
    instance: SharedInstance<unknown>,
    origin: Origin | undefined,
    capability: WeakKey,
  ): NodeId | undefined {
    if (instance.reported === undefined || origin === undefined) return undefined;
    const lease = this.observer.lent(instance.reported, origin, capability);
    if (instance.isHeldByCell) {
      instance.isHeldByCell = false;
      this.observer.dropped(this.observer.root, instance.reported);
    }
    return lease;
  }

  /** Reports the end of a lease. `isLast` says whether no other lease holds the value. */
  released(instance: SharedInstance<unknown>, lease: NodeId | undefined, isLast: boolean): void {
    if (isLast && !instance.isHeldByCell && instance.reported !== undefined) {
      instance.isHeldByCell = true;
      this.observer.referenced(this.observer.root, instance.reported);
    }
    if (lease !== undefined) this.observer.freed(lease);
  }

  /** Reports that `to` holds a lease from now on. */
  transferred(lease: NodeId, to: Holder): void {
    if (!this.hasEnded) this.observer.transferred(lease, to);
  }

  /** Reports the end of a value. */
  freed(instance: SharedInstance<unknown>): void {
    const { reported } = instance;
    instance.reported = undefined;
    if (reported !== undefined) this.observer.freed(reported);
  }

  protected override reportPresent(observer: Observer): void {
    for (const instance of this.#values.instances()) {
      // A main observer does not know the leases from before, so the component holds the value for it. Others know no holders.
      if (!sharesComponent(observer)) instance.isHeldByCell = true;
      instance.reporter = this.observer;
      instance.reported = this.observer.present(instance.reported, 'value');
    }
  }

  protected override ended(): void {
    for (const instance of this.#values.instances()) {
      instance.reported = undefined;
      instance.reporter = undefined;
    }
    this.#values.unwatched();
  }
}
