/**
 * A pool that lends as generic-pool does, and has the methods that generic-pool's pools have as event emitters. A listener may be added
 * more than once, and for an event that never happens.
 */
import type { UseContext } from './loan/use-context.js';
import { Pool } from './pool.js';
import type { PoolEngine } from './pool-engine.js';
import { POOL_EVENTS, type PoolEventMap, type PoolListener } from './pool-events.js';
import type { LeaseOptions } from './pool-options.js';

/** A listener of any event. */
export type AnyListener = (payload: never) => void;

/** A listener as it was added, and as the pool calls it. */
interface Added {
  readonly listener: AnyListener;
  readonly called: AnyListener;
}

/** A pool that `createGenericPool` has made. */
export class GenericPool<T> extends Pool<T> {
  readonly #added = new Map<string, Added[]>();

  /** @internal */
  constructor(engine: PoolEngine<T>) {
    super(engine);
  }

  /** Lends a resource, as {@link Pool.acquire} does. A priority that is no integer counts as 0, or as the integer before its fraction. */
  override acquire(options?: LeaseOptions | number | null): Promise<T> {
    return super.acquire(priorityOf(options));
  }

  /** Lends a resource for the time of a function, as {@link Pool.use} does, and destroys it if the function fails. */
  override use<R>(
    fn: (resource: T, context: UseContext<T>) => R,
    options?: LeaseOptions | number | null,
  ): Promise<Awaited<R>> {
    const destroying = (resource: T, context: UseContext<T>): R => {
      context.isDiscardedOnFailure = true;
      return fn(resource, context);
    };
    return super.use(typeof fn === 'function' ? destroying : fn, priorityOf(options));
  }

  /** Adds a listener. */
  override on<E extends keyof PoolEventMap>(event: E, listener: PoolListener<E, T>): this;
  override on(event: string, listener: AnyListener): this;
  override on(event: string, listener: AnyListener): this {
    return this.#add(event, listener, (payload) => listener.call(this, payload));
  }

  /** Adds a listener, as {@link GenericPool.on} does. */
  addListener<E extends keyof PoolEventMap>(event: E, listener: PoolListener<E, T>): this;
  addListener(event: string, listener: AnyListener): this;
  addListener(event: string, listener: AnyListener): this {
    return this.on(event, listener);
  }

  /** Adds a listener that is called once. */
  once<E extends keyof PoolEventMap>(event: E, listener: PoolListener<E, T>): this;
  once(event: string, listener: AnyListener): this;
  once(event: string, listener: AnyListener): this {
    const called: AnyListener = (payload) => {
      this.#removeLast(event, (each) => each.called === called);
      listener.call(this, payload);
    };
    return this.#add(event, listener, called);
  }

  /** Removes a listener: of several that are the same, the last one. */
  override off<E extends keyof PoolEventMap>(event: E, listener: PoolListener<E, T>): this;
  override off(event: string, listener: AnyListener): this;
  override off(event: string, listener: AnyListener): this {
    return this.#removeLast(event, (each) => each.listener === listener);
  }

  /** Removes a listener, as {@link GenericPool.off} does. */
  removeListener<E extends keyof PoolEventMap>(event: E, listener: PoolListener<E, T>): this;
  removeListener(event: string, listener: AnyListener): this;
  removeListener(event: string, listener: AnyListener): this {
    return this.off(event, listener);
  }

  /** Removes all listeners of an event, or of all events. */
  removeAllListeners(event?: string): this {
    const events = event === undefined ? [...this.#added.keys()] : [event];
    for (const each of events) this.#remove(each, this.#added.get(each)?.splice(0) ?? []);
    return this;
  }

  /** The listeners of an event, in the order in which they are called. */
  listeners(event: string): AnyListener[] {
    return (this.#added.get(event) ?? []).map(({ listener }) => listener);
  }

  /** How many listeners an event has. */
  listenerCount(event: string): number {
    return this.#added.get(event)?.length ?? 0;
  }

  /** The events that have a listener. */
  eventNames(): string[] {
    return [...this.#added].filter(([, added]) => added.length > 0).map(([event]) => event);
  }

  #add(event: string, listener: AnyListener, called: AnyListener): this {
    const added = this.#added.get(event);
    if (added === undefined) this.#added.set(event, [{ listener, called }]);
    else added.push({ listener, called });
    if (isPoolEvent(event)) super.on(event, called as PoolListener<typeof event>);
    return this;
  }

  #removeLast(event: string, isMeant: (each: Added) => boolean): this {
    const added = this.#added.get(event) ?? [];
    const last = added.findLastIndex(isMeant);
    if (last >= 0) this.#remove(event, added.splice(last, 1));
    return this;
  }

  #remove(event: string, removed: readonly Added[]): void {
    if (!isPoolEvent(event)) return;
    for (const { called } of removed) super.off(event, called as PoolListener<typeof event>);
  }
}

function priorityOf(
  given: LeaseOptions | number | null | undefined,
): LeaseOptions | number | undefined {
  if (given === undefined || (typeof given === 'object' && given !== null)) return given;
  return Math.trunc(Number(given)) || 0;
}

function isPoolEvent(event: string): event is keyof PoolEventMap {
  return (POOL_EVENTS as readonly string[]).includes(event);
}
