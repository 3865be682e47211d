/**
 * What a caller is given for a slot that is now out: a lease, the bare resource, or the slot itself for `use()`. Each
 * grant also tells the watch, since only here is the lease at hand that can end the loan.
 */
import { Lease } from './lease.js';
import type { LoanOrigin } from './loan-origin.js';
import type { Slot } from './slot.js';

/** Turns a slot that is out into what its caller gets. */
export type Grant<T, R> = (slot: Slot<T>, origin: LoanOrigin<T> | undefined) => R;

/** For `lease()` and `tryLease()`. */
export function grantLease<T>(slot: Slot<T>, origin: LoanOrigin<T> | undefined): Lease<T> {
  slot.takenBy = 'lease';
  const lease = new Lease(slot);
  if (origin !== undefined) track(slot, origin, lease);
  return lease;
}

/** For `acquire()`. */
export function grantResource<T>(slot: Slot<T>, origin: LoanOrigin<T> | undefined): T {
  slot.takenBy = 'acquire';
  if (origin !== undefined) track(slot, origin);
  return slot.resource;
}

/** For `use()`. */
export function grantUse<T>(slot: Slot<T>, origin: LoanOrigin<T> | undefined): Slot<T> {
  slot.takenBy = 'use';
  if (origin !== undefined) track(slot, origin);
  return slot;
}

function track<T>(slot: Slot<T>, { watch, origin, stack }: LoanOrigin<T>, lease?: Lease<T>): void {
  const tracking = slot.track();
  tracking.stack = stack;
  if (origin !== undefined) tracking.node = watch?.loanGranted(slot, origin, lease);
}
