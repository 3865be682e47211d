/**
 * What a caller is given for a slot that is now out: a lease, the bare resource, or the slot itself for `use()`. Each
 * grant also tells the watch, since only here is the lease at hand that can end the loan.
 */
import { Lease } from './lease.js';
import type { Lender } from './lender.js';
import type { TakenOrigin } from './pool-watch.js';
import type { Slot } from './slot.js';

/** Turns a slot that is out into what its caller gets. */
export type Grant<T, R> = (
  lender: Lender<T>,
  slot: Slot<T>,
  taken: TakenOrigin<T> | undefined,
) => R;

/** For `lease()` and `tryLease()`. */
export function grantLease<T>(
  lender: Lender<T>,
  slot: Slot<T>,
  taken: TakenOrigin<T> | undefined,
): Lease<T> {
  slot.takenBy = 'lease';
  const lease = new Lease(lender, slot);
  taken?.watch.lent(slot, taken.origin, lease);
  return lease;
}

/** For `acquire()`. */
export function grantResource<T>(
  _lender: Lender<T>,
  slot: Slot<T>,
  taken: TakenOrigin<T> | undefined,
): T {
  slot.takenBy = 'acquire';
  taken?.watch.lent(slot, taken.origin);
  return slot.resource;
}

/** For `use()`. */
export function grantUse<T>(
  _lender: Lender<T>,
  slot: Slot<T>,
  taken: TakenOrigin<T> | undefined,
): Slot<T> {
  slot.takenBy = 'use';
  taken?.watch.lent(slot, taken.origin);
  return slot;
}
