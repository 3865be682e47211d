/**
 * Tells of the components that are created, so that a watchdog can watch all of them without a line of the application. Without
 * a listener, the creation of a component pays one look-up of a global.
 *
 * The key is registered with `Symbol.for`: listeners hear of the components of every copy of this package.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { guardedCall } from './guarded-call.js';
import { type Observer, sharesComponent, type Watchable } from './probe.js';

const LISTENERS: unique symbol = Symbol.for('tenure.created') as never;

/** Called with each component when it has been created. */
export type CreationListener = (component: Watchable) => void;

/** The watches that no code of the application has asked for, by their components. */
const AUTOMATIC: unique symbol = Symbol.for('tenure.automatic') as never;

/** The components that are watched with another one, as the pool of a key is with its keyed pool. */
const wholes = /* @__PURE__ */ new WeakMap<Watchable, Watchable>();

interface Registry {
  [LISTENERS]?: Set<CreationListener>;
  [AUTOMATIC]?: WeakMap<Watchable, Disposable>;
}

/** Calls `listener` with each component that is created from now on. The result ends it. */
export function onCreated(listener: CreationListener): Disposable {
  const registry = globalThis as Registry;
  registry[LISTENERS] ??= new Set();
  const listeners = registry[LISTENERS];
  listeners.add(listener);
  return {
    [Symbol.dispose]() {
      listeners.delete(listener);
      if (listeners.size === 0) delete registry[LISTENERS];
    },
  };
}

/** Tells the listeners of a component, and gives it back. */
export function created<C extends Watchable>(component: C): C {
  const listeners = (globalThis as Registry)[LISTENERS];
  if (listeners !== undefined) {
    for (const listener of listeners) {
      guardedCall('a listener of created components', () => listener(component));
    }
  }
  return component;
}

/** Says that a watch was not asked for by the application: it gives way to one that is. */
export function noteAutomaticWatch(component: Watchable, watch: Disposable): void {
  const registry = globalThis as Registry;
  registry[AUTOMATIC] ??= new WeakMap();
  registry[AUTOMATIC].set(component, watch);
}

/** Says that a watch over `whole` covers `part`, too. */
export function notePart(part: Watchable, whole: Watchable): void {
  wholes.set(part, whole);
}

/**
 * Ends the watch over a component that the application has not asked for, if there is one and `observer` does not share the
 * component with it. O(1).
 */
export function endAutomaticWatch(component: Watchable, observer: Observer): void {
  if (sharesComponent(observer)) return;
  const watches = (globalThis as Registry)[AUTOMATIC];
  if (watches === undefined) return;
  for (const watched of [component, wholes.get(component)]) {
    if (watched === undefined) continue;
    watches.get(watched)?.[Symbol.dispose]();
    watches.delete(watched);
  }
}
