/** Reports the leases on cached results to the observer of their cache. */
/// <reference lib="esnext.disposable" preserve="true" />
import { type Holder, handOver, type Origin } from '../../core/probe.js';
import type { SharedLease } from '../../scope/shared-lease.js';
import type { CacheWatch } from '../cache-watch.js';
import type { KeyRef } from '../keys/key-trie.js';

/**
 * Gives the lease as one that is reported, from `origin` on. Its end is reported when the disposal that it causes is over: until then
 * the result holds what it was made of. `disposal` gives that disposal.
 */
export function watchedLease<T>(
  lease: SharedLease<T, void>,
  watch: CacheWatch,
  ref: KeyRef | undefined,
  origin: Origin,
  disposal: () => Promise<unknown> | undefined,
): SharedLease<T, void> {
  // Each way to end the lease captures the token, so V8 collects it when no code can end the lease any more.
  const token = { isReleased: false };
  const node = watch.lent(ref, origin, token);
  const release = (): void => {
    if (token.isReleased) return;
    token.isReleased = true;
    lease.release();
    const running = disposal();
    if (running === undefined) watch.leaseEnded(node);
    else void running.finally(() => watch.leaseEnded(node));
  };
  return {
    value: lease.value,
    expectHold: (holdMillis) => {
      lease.expectHold(holdMillis);
      if (!token.isReleased) watch.expected(node, holdMillis);
    },
    release,
    [Symbol.dispose]: release,
    [Symbol.asyncDispose]: async () => release(),
    [handOver]: (to: Holder) => {
      if (!token.isReleased) watch.transferred(node, to);
    },
  };
}
