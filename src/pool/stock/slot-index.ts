/**
 * Finds the slot of a bare resource, for `release(resource)`; a lease knows its slot. A resource is added once, when it is
 * created, so a loan by `acquire()` costs one look-up and no change.
 *
 * Equal primitives cannot be told apart. Any borrowed slot with an equal one is taken.
 */

import { captureStack } from '../../core/call-site.js';
import { isObject } from '../../core/is-object.js';
import type { EntryPoint, Misuse } from '../../core/probe.js';
import { atLine } from '../../core/site-sample.js';
import { Lease } from '../loan/lease.js';
import type { Slot } from '../loan/slot.js';
import { ReleaseError } from '../pool-errors.js';

/** The slots of one pool, by resource. */
export class SlotIndex<T> {
  readonly #slots = new Set<Slot<T>>();
  readonly #byResource = new Map<T, Slot<T>>();
  /** Objects that the pool has destroyed, held weakly, with the slot of their last loan. */
  readonly #destroyed = new WeakMap<WeakKey, Slot<T> | undefined>();
  /** How many slots there are, those being destroyed included. */
  size = 0;

  /** The slots, oldest first. */
  [Symbol.iterator](): IterableIterator<Slot<T>> {
    return this.#slots.values();
  }

  /** Whether an object is in the pool; false for every primitive. */
  has(resource: T): boolean {
    return isObject(resource) && this.#byResource.has(resource);
  }

  add(slot: Slot<T>): void {
    this.#slots.add(slot);
    this.size++;
    this.#byResource.set(slot.resource, slot);
  }

  remove(slot: Slot<T>): void {
    if (this.#slots.delete(slot)) this.size--;
    if (this.#byResource.get(slot.resource) === slot) this.#byResource.delete(slot.resource);
  }

  /** Remembers that an object was destroyed, with its slot, if it had one. */
  noteDestroyed(resource: T, slot: Slot<T> | undefined): void {
    if (isObject(resource)) this.#destroyed.set(resource, slot);
  }

  /** The slot that `acquire()` lent for this resource. O(1); O(size) for one of several equal primitives. */
  acquired(resource: T): Slot<T> | undefined {
    const slot = this.#byResource.get(resource);
    if (slot !== undefined && isAcquired(slot)) return slot;
    return isObject(resource) ? undefined : this.#find(resource, isAcquired);
  }

  /** Whether a caller holds the resource. O(1); O(size) for one of several equal primitives. */
  isBorrowed(resource: T): boolean {
    if (this.#byResource.get(resource)?.state === 'borrowed') return true;
    return !isObject(resource) && this.#find(resource, isBorrowed) !== undefined;
  }

  /** The error of a call of `entry` that gives back a resource that `acquire()` did not lend. */
  releaseError(
    name: string,
    resource: T,
    entry: EntryPoint,
    tell: (misuse: Misuse) => void,
  ): ReleaseError {
    const slot = this.#find(resource, isBorrowed) ?? this.#find(resource, () => true);
    if (slot === undefined) {
      return isObject(resource) && this.#destroyed.has(resource)
        ? afterDestroy(name, misuseOf(entry, this.#destroyed.get(resource), tell))
        : new ReleaseError(
            `${name}: Resource not currently part of this pool. ${Lease.isLease(resource) ? 'It is a lease: call its own release() or destroy().' : 'Give back only what its own acquire() has resolved to.'}`,
            'TENURE_POOL_FOREIGN_RESOURCE',
          );
    }
    switch (slot.state) {
      case 'borrowed':
        return new ReleaseError(
          slot.takenBy === 'use'
            ? `${name}: this resource is out by use(), which takes it back by itself. Return from the function, or call discard() of its context.`
            : `${name}: this resource is out on a lease, which alone can give it back. Call release() or destroy() of the lease.`,
          'TENURE_POOL_RELEASE_OF_LEASE',
        );
      case 'destroying':
        return afterDestroy(name, misuseOf(entry, slot, tell));
      default: {
        const { stack, earlier } = misuseOf(entry, slot, tell);
        return new ReleaseError(
          `${name}: this resource was released already${atLine(earlier)}, and is released again${atLine(stack)}. Release each resource once.`,
          'TENURE_POOL_DOUBLE_RELEASE',
        );
      }
    }
  }

  #find(resource: T, fits: (slot: Slot<T>) => boolean): Slot<T> | undefined {
    for (const slot of this.#slots) {
      if (Object.is(slot.resource, resource) && fits(slot)) return slot;
    }
    return undefined;
  }
}

function isBorrowed(slot: Slot<unknown>): boolean {
  return slot.state === 'borrowed';
}

function isAcquired(slot: Slot<unknown>): boolean {
  return slot.state === 'borrowed' && slot.takenBy === 'acquire';
}

/**
 * Tells of a call of `entry` for a resource that was given back already. After a forced close, the first such call is the late end of
 * the loan.
 */
function misuseOf<T>(
  entry: EntryPoint,
  slot: Slot<T> | undefined,
  tell: (misuse: Misuse) => void,
): Misuse {
  const misuse = { call: entry.name, stack: captureStack(entry), earlier: slot?.endStack };
  if (slot?.reportLateEnd === undefined) tell(misuse);
  else slot.endedLate();
  return misuse;
}

function afterDestroy(name: string, { stack, earlier }: Misuse): ReleaseError {
  return new ReleaseError(
    `${name}: this resource was destroyed already${atLine(earlier)}, and is given back again${atLine(stack)}. Release it or destroy it, not both.`,
    'TENURE_POOL_RELEASE_AFTER_DESTROY',
  );
}
