/**
 * The owner of what the current code takes: the value that is being created just now. It travels in the async context, as a
 * scope does. A connection that is leased while a value is created belongs to that value, and has to be released before the
 * value ends.
 */
import { type AsyncVariable, createAsyncVariable } from './async-context.js';
import type { NodeId, Observer } from './probe.js';
import { sharedByCopies } from './shared-by-copies.js';

/** A node of a watched component that owns what is leased in its async context. */
export interface Owner {
  /** The observer that knows the node, as it was attached; `undefined` while no observer is attached. */
  readonly observer: Observer | undefined;
  /** The node; `undefined` until it is reported. */
  readonly node: NodeId | undefined;
}

/** All copies of this package share the variable: a cache of one copy may own loans that a watchdog of another copy watches. */
const current: AsyncVariable<Owner> = /* @__PURE__ */ sharedByCopies(
  'tenure.owner',
  createAsyncVariable<Owner>,
);

/** Calls `body` with `owner` as the owner of what it takes, across its awaits and timers. Gives its result. */
export function runAsOwner<R>(owner: Owner, body: () => R): R {
  return current.run(owner, body);
}

/** Gives the owner of the current async flow; `undefined` if there is none. */
export function currentOwner(): Owner | undefined {
  return current.get();
}
