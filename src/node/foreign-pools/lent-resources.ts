/**
 * The resources of one pool of another package, and which of them are out. The loans that last are told to the observer, so that it
 * need not track those that do not:
 *
 * ```
 *   lent ──▶ out, oldest first ──1 to 2 s──▶ lasted, each second
 *                  └──▶ returned
 * ```
 *
 * Packages differ in how a resource leaves its pool, so the node of a resource lives until V8 has collected the resource.
 */

import type { Clock, TimerHandle } from '../../core/clock.js';
import { connectionUse, IN_USE } from '../../core/connection-use.js';
import type { GuardedObserver } from '../../core/guarded-observer.js';
import { isObject } from '../../core/is-object.js';
import { type Linked, LinkedList } from '../../core/linked-list.js';
import { runInOwnContext } from '../../core/own-context.js';
import type { NodeId, Origin } from '../../core/probe.js';

/** How often the observer is told of the loans that last, in milliseconds. */
const PERIOD_MILLIS = 1_000;

/** A resource that has been lent before. Its loan is `undefined` while it is not out. */
class LentResource implements Linked<LentResource> {
  readonly node: NodeId;
  loan: NodeId | undefined = undefined;
  /** The resource while it is out: V8 must not collect it before its loan has ended. */
  resource: unknown = undefined;
  /** The period in which the loan began. */
  period = 0;
  previous: LentResource | null = null;
  next: LentResource | null = null;

  constructor(node: NodeId) {
    this.node = node;
  }
}

/** The resources of one pool that were lent under one watch. */
export class LentResources {
  readonly #observer: GuardedObserver;
  readonly #clock: Clock;
  readonly #objects = new WeakMap<object, LentResource>();
  /** Primitive values that are out. */
  readonly #primitives = new Map<unknown, LentResource>();
  readonly #out = new LinkedList<LentResource>();
  readonly #deaths: FinalizationRegistry<NodeId>;
  readonly #endPeriod: () => void;
  readonly #isInUse: (resource: unknown) => boolean = connectionUse();
  #period = 0;
  #timer: TimerHandle | undefined;

  constructor(observer: GuardedObserver, clock: Clock) {
    this.#observer = observer;
    this.#clock = clock;
    this.#deaths = new FinalizationRegistry((node) => observer.freed(node));
    this.#endPeriod = () => {
      this.#timer = undefined;
      this.#period++;
      this.#tellLasting(this.#period - 1);
      if (this.#out.length > 0) this.#setTimer();
    };
  }

  /** How many resources are out. */
  get length(): number {
    return this.#out.length;
  }

  /** Reports a loan. An earlier one of the same resource has ended unseen. O(1). */
  lent(resource: unknown, origin: Origin): void {
    this.returned(resource);
    const record = this.#known(resource) ?? this.#add(resource);
    record.loan = this.#observer.lent(record.node, origin);
    record.resource = resource;
    record.period = this.#period;
    this.#out.append(record);
    if (this.#timer === undefined) this.#setTimer();
  }

  /** Whether a resource is out. O(1). */
  isOut(resource: unknown): boolean {
    return this.#known(resource)?.loan !== undefined;
  }

  /** Reports that a resource came back, or is gone. Without effect if it is not out. O(1). */
  returned(resource: unknown): void {
    const record = this.#known(resource);
    if (record?.loan !== undefined) this.#end(record, false);
  }

  /** Reports that the pool has ended its resources, those that are out included. O(resources out). */
  ended(): void {
    for (const record of this.#out) this.#end(record, true);
  }

  /** Tells the observer of all resources that are out, and which of them are in use. O(resources out). */
  look(): void {
    this.#tellLasting(this.#period + 1);
    for (const { loan, resource } of this.#out) {
      if (loan !== undefined && this.#isInUse(resource)) this.#observer.touched(loan, IN_USE);
    }
  }

  /** Tells nothing more. */
  close(): void {
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  /** Tells the observer of the loans that began before the period `before`. */
  #tellLasting(before: number): void {
    for (const record of this.#out) {
      const { loan, node, period } = record;
      if (period >= before) return;
      const millis = Math.max(0, this.#period - period - 1) * PERIOD_MILLIS;
      if (loan !== undefined) record.loan = this.#observer.lasted(loan, node, millis);
    }
  }

  #setTimer(): void {
    this.#timer = runInOwnContext(() =>
      this.#clock.setTimer(this.#endPeriod, PERIOD_MILLIS, { background: true }),
    );
  }

  #known(resource: unknown): LentResource | undefined {
    return this.#objects.get(resource as object) ?? this.#primitives.get(resource);
  }

  #add(resource: unknown): LentResource {
    if (!isObject(resource)) {
      const record = new LentResource(this.#observer.root);
      this.#primitives.set(resource, record);
      return record;
    }
    const record = new LentResource(this.#observer.allocated('resource', this.#observer.root));
    this.#objects.set(resource, record);
    this.#deaths.register(resource, record.node);
    return record;
  }

  #end(record: LentResource, reclaimed: boolean): void {
    const { loan, resource } = record;
    record.loan = undefined;
    record.resource = undefined;
    this.#out.remove(record);
    if (!isObject(resource)) this.#primitives.delete(resource);
    if (loan !== undefined) this.#observer.freed(loan, reclaimed);
  }
}
