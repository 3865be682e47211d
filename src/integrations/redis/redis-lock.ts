/**
 * A lock over Redis, as in Redis' own documentation: a value with a limited life and a token that only the holder knows. Scripts
 * take the lock, and compare the token before they extend or delete it.
 *
 * - The holder extends the lock three times in each `leaseMillis`. If its process ends without a release, another process gets the lock
 *   at most `leaseMillis` later.
 * - A lock that another program has made without an end gets one, so that it holds up the callers no longer than `leaseMillis`.
 * - Each lock comes with a fencing token: a number that is greater than that of any earlier holder.
 * - The lock is for one Redis, not for several that vote (Redlock). After a failover two processes may hold it. Then both load,
 *   which costs one load. The fencing token keeps the result of the earlier holder out of the store.
 */
import type { Clock } from '../../core/clock.js';
import { nameErrorClass, TenureError } from '../../core/errors.js';
import { fractionFrom } from '../../core/fraction.js';
import { guardedClock } from '../../core/guarded-clock.js';
import type { ClusterLease, ClusterLock, LockRequest } from '../../memoize/cluster-lock.js';
import { SharedStoreError } from '../../memoize/shared/shared-store-error.js';
import { StoreTime } from '../../memoize/shared/store-time.js';
import { inTime, type RedisScripts, run } from './redis-client.js';
import { RedisLease, release } from './redis-lease.js';

/** Options of {@link redisLock}. */
export interface RedisLockOptions {
  /** The start of all names of locks in Redis. @default 'tenure:lock:' */
  readonly prefix?: string;
  /** How long the lock of a process that ended without a release stays locked, in milliseconds. @default 5000 */
  readonly leaseMillis?: number;
  /** How long a caller waits for the lock, in milliseconds, before it loads without the lock. @default 30000 */
  readonly waitMillis?: number;
  /** The time between two attempts of a waiting caller, in milliseconds, plus up to half of it at random. @default 25 */
  readonly retryMillis?: number;
  /** Gives a random number from 0 to less than 1. @default Math.random */
  readonly random?: () => number;
  /** The source of time. @default systemClock */
  readonly clock?: Clock;
}

/**
 * A lock was not free within `waitMillis`. The message does not name it, because the name has the arguments of a call. Code:
 * `TENURE_REDIS_LOCK_TIMEOUT`.
 */
export class RedisLockTimeoutError extends TenureError {
  /** @internal */
  constructor(waitMillis: number) {
    super(
      `A lock was not free within ${waitMillis} ms. If loads may take that long, raise the option \`waitMillis\`.`,
      { code: 'TENURE_REDIS_LOCK_TIMEOUT' },
    );
  }

  static {
    nameErrorClass(RedisLockTimeoutError, 'RedisLockTimeoutError');
  }
}

/**
 * Takes the lock last: what a script has done before Redis refuses one of its commands stays done. Reads the lock, so a user who could
 * not release it does not take it. A client may send it again if a broken connection has lost the answer: the lock then has this token.
 */
const ACQUIRE = `
local holder = redis.call('get', KEYS[1])
if holder == ARGV[1] then return redis.call('get', KEYS[2]) end
if not holder then
  local fence = redis.call('incr', KEYS[2])
  redis.call('pexpire', KEYS[2], ARGV[3])
  redis.call('set', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return fence
end
if redis.call('pttl', KEYS[1]) == -1 then redis.call('pexpire', KEYS[1], ARGV[2]) end
return 0`;

/** A name with a text in braces: a Redis Cluster then hashes this text alone. */
const HASH_TAG = /^[^{]*\{[^}]+\}/;

/** How long the counter of fencing tokens is kept, in milliseconds: longer than any load. */
const FENCE_MILLIS = 86_400_000;

/** The locks of one prefix. */
export class RedisLock implements ClusterLock {
  readonly #client: RedisScripts;
  readonly #settings: Required<RedisLockOptions>;
  readonly #clock: Clock;
  /** The time that Redis has for its answers. */
  readonly #time: StoreTime;

  constructor(client: RedisScripts, settings: Required<RedisLockOptions>) {
    this.#client = client;
    this.#settings = settings;
    this.#clock = guardedClock(settings.clock);
    this.#time = new StoreTime(this.#clock);
  }

  async acquire(name: string, request: Partial<LockRequest> = {}): Promise<ClusterLease> {
    const { ask = (answer) => inTime(this.#time, answer()) } = request;
    const { prefix, leaseMillis, waitMillis, retryMillis, random } = this.#settings;
    // A Redis Cluster needs both keys on one node. A name of `sharedCache` has the braces of the key that it locks.
    const plain = `${prefix}${name}`;
    const key = HASH_TAG.test(plain) ? plain : `${prefix}{${name}}`;
    const token = crypto.randomUUID();
    const deadline = this.#clock.now() + waitMillis;
    for (;;) {
      const askedAt = this.#clock.now();
      const fence = await this.#take(ask, key, token);
      if (fence > 0) {
        return new RedisLease({
          client: this.#client,
          clock: this.#clock,
          time: this.#time,
          key,
          token,
          fence,
          leaseMillis,
          askedAt,
        });
      }
      if (this.#clock.now() >= deadline) throw new RedisLockTimeoutError(waitMillis);
      await this.#pause(retryMillis * (1 + fractionFrom(random) / 2));
    }
  }

  /** Asks Redis once for a lock, and gives its fencing token; 0 if another has it. */
  async #take(ask: LockRequest['ask'], key: string, token: string): Promise<number> {
    let answer: Promise<unknown> | undefined;
    const lifetimes = [String(this.#settings.leaseMillis), String(FENCE_MILLIS)];
    try {
      const fence = Number.parseFloat(
        await ask(async () => {
          answer = run(this.#client, ACQUIRE, [key, `${key}:fence`], [token, ...lifetimes]);
          return String(await answer);
        }),
      );
      if (fence >= 0) return fence;
      throw new SharedStoreError('Redis gave no number for a lock. See whether it runs scripts.');
    } catch (error) {
      void this.#releaseLater(answer, key, token);
      throw error;
    }
  }

  /**
   * Releases a lock that Redis gives after the caller has left, or may have given although its client has given up or has lost the answer
   * with its connection. It would hold up all others for as long as a lease.
   */
  async #releaseLater(
    answer: Promise<unknown> | undefined,
    key: string,
    token: string,
  ): Promise<void> {
    if (answer === undefined) return;
    try {
      if ((await answer.catch(() => 1)) !== 0) await release(this.#client, key, token);
    } catch {
      // Redis ends the lock after `leaseMillis`.
    }
  }

  #pause(millis: number): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.setTimer(resolve, millis);
    });
  }
}
