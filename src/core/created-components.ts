/**
 * Tells of the components that are created, so that a watchdog can watch all of them without a line of the application.
 * Listeners hear of the components of every copy of this package.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { guardedCall } from './guarded-call.js';
import { type Observer, sharesComponent, type Watchable } from './probe.js';
import { sharedByCopies } from './shared-by-copies.js';

/** Called with each component when it has been created. */
export type CreationListener = (component: Watchable) => void;

const listeners = /* @__PURE__ */ sharedByCopies(
  'tenure.created',
  () => new Set<CreationListener>(),
);

/** The watches that no code of the application has asked for, by their components. */
const automatic = /* @__PURE__ */ sharedByCopies(
  'tenure.automatic',
  () => new WeakMap<Watchable, Disposable>(),
);

/** The components that are watched with another one, as the pool of a key is with its keyed pool. */
const wholes = /* @__PURE__ */ new WeakMap<Watchable, Watchable>();

/** Calls `listener` with each component that is created from now on. The result ends it. */
export function onCreated(listener: CreationListener): Disposable {
  listeners.add(listener);
  return { [Symbol.dispose]: () => void listeners.delete(listener) };
}

/** Tells the listeners of a component, and gives it back. */
export function created<C extends Watchable>(component: C): C {
  for (const listener of listeners) {
    guardedCall('a listener of created components', () => listener(component));
  }
  return component;
}

/** Says that a watch was not asked for by the application: it gives way to one that is. */
export function noteAutomaticWatch(component: Watchable, watch: Disposable): void {
  automatic.set(component, watch);
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
  for (const watched of [component, wholes.get(component)]) {
    if (watched === undefined) continue;
    automatic.get(watched)?.[Symbol.dispose]();
    automatic.delete(watched);
  }
}
