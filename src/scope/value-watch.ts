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
import { GuardedObserver } from '../core/guarded-observer.js';
import type {
  ComponentStats,
  EntryPoint,
  Holder,
  NodeId,
  Observation,
  Observer,
  Origin,
} from '../core/probe.js';
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

/** One observer's watch over shared values. */
export class ValueWatch implements Observation {
  readonly kind: 'ref-counted' | 'ref-counted-map';
  readonly name: string;
  readonly #values: WatchedValues;
  readonly #attached: Observer;
  readonly #observer: GuardedObserver;
  #ended = false;

  constructor(values: WatchedValues, observer: Observer) {
    this.kind = values.kind;
    this.name = values.name;
    this.#values = values;
    this.#attached = observer;
    this.#observer = new GuardedObserver(observer, `the ${values.kind} '${values.name}'`);
    for (const instance of values.instances()) {
      instance.isHeldByCell = true;
      this.created(instance);
    }
  }

  stats(): ComponentStats {
    return this.#values.stats();
  }

  /** Takes the line and the scope of a caller of `entry`. */
  origin(entry: EntryPoint): Origin {
    return this.#observer.origin(entry);
  }

  /** Reports a value whose creation begins. */
  created(instance: SharedInstance<unknown>): void {
    instance.observer = this.#attached;
    instance.node = this.#observer.allocated('value', this.#observer.root);
  }

  /** Reports a lease, which `capability` alone can end. Gives its node. */
  lent(
    instance: SharedInstance<unknown>,
    origin: Origin | undefined,
    capability: WeakKey,
  ): NodeId | undefined {
    if (instance.node === undefined || origin === undefined) return undefined;
    const lease = this.#observer.lent(instance.node, origin, capability);
    if (instance.isHeldByCell) {
      instance.isHeldByCell = false;
      this.#observer.dropped(this.#observer.root, instance.node);
    }
    return lease;
  }

  /** Reports the end of a lease. `isLast` says whether no other lease holds the value. */
  released(instance: SharedInstance<unknown>, lease: NodeId | undefined, isLast: boolean): void {
    if (isLast && !instance.isHeldByCell && instance.node !== undefined) {
      instance.isHeldByCell = true;
      this.#observer.referenced(this.#observer.root, instance.node);
    }
    if (lease !== undefined) this.#observer.freed(lease);
  }

  /** Reports that `to` holds a lease from now on. */
  transferred(lease: NodeId, to: Holder): void {
    if (!this.#ended) this.#observer.transferred(lease, to);
  }

  /** Reports the end of a value. */
  freed(instance: SharedInstance<unknown>): void {
    const { node } = instance;
    instance.node = undefined;
    if (node !== undefined) this.#observer.freed(node);
  }

  [Symbol.dispose](): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const instance of this.#values.instances()) {
      instance.node = undefined;
      instance.observer = undefined;
    }
    this.#values.unwatched();
  }
}
