/**
 * Turns a borrowed slot into what its caller gets: a lease, the bare resource, or the slot itself for `use()`. The grant also
 * tells the watch, because no other part of the pool knows the lease.
 */
import { Lease } from './lease.js';
import type { LoanOrigin } from './loan-origin.js';
import type { Slot } from './slot.js';

/** Turns a borrowed slot into what its caller gets. */
export type Grant<T, R> = (slot: Slot<T>, origin: LoanOrigin<T> | undefined) => R;

/** The grant of `lease()` and `tryLease()`. */
export function grantLease<T>(slot: Slot<T>, origin: LoanOrigin<T> | undefined): Lease<T> {
  slot.takenBy = 'lease';
  const lease = new Lease(slot);
  if (origin !== undefined) track(slot, origin, lease);
  return lease;
}

/**
 * The grant of `acquire()`. A promise rejects if it is to give a resource that throws when `then` is read, such as a revoked proxy. Its
 * caller has nothing to give back, so the resource is destroyed.
 */
export function grantResource<T>(slot: Slot<T>, origin: LoanOrigin<T> | undefined): T {
  slot.takenBy = 'acquire';
  if (origin !== undefined) track(slot, origin);
  const { resource } = slot;
  try {
    void (resource as { then?: unknown } | null | undefined)?.then;
  } catch {
    void slot.lender.discard(slot, 'broken');
  }
  return resource;
}

/** The grant of `use()`. */
export function grantUse<T>(slot: Slot<T>, origin: LoanOrigin<T> | undefined): Slot<T> {
  slot.takenBy = 'use';
  if (origin !== undefined) track(slot, origin);
  return slot;
}

function track<T>(slot: Slot<T>, { watch, origin, stack }: LoanOrigin<T>, lease?: Lease<T>): void {
  if (stack !== undefined) slot.track().stack = stack;
  if (origin !== undefined) slot.loanNode = watch?.loanGranted(slot, origin, lease);
}
