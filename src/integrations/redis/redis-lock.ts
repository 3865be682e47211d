/**
 * The lock: the one of Redis' own documentation, `SET NX PX` with a token that only its holder knows, and scripts that
 * compare it before they prolong or delete. Its holder prolongs it three times in each `ttl`; a holder that died does not, so
 * the next one gets it at most `ttl` later. With each lock comes a number greater than that of any holder before. One Redis is
 * assumed, not several that vote: a failover may give the lock to two, who then both load, which costs a load, and the number
 * keeps the earlier one's result out.
 */
import { type Clock, systemClock } from '../../core/clock.js';
import { nameErrorClass, TenureError } from '../../core/errors.js';
import type { ClusterLease, ClusterLock } from '../../memoize/cluster-lock.js';
import { inTime, type RedisClient, run } from './redis-client.js';
import { RedisLease } from './redis-lease.js';

/** Options of {@link redisLock}. */
export interface RedisLockOptions {
  /** What the names of the locks begin with. @default 'tenure:lock:' */
  readonly prefix?: string;
  /** After how many milliseconds the lock of a process that has died is free. @default 5000 */
  readonly ttl?: number;
  /** How long to wait for the lock, in milliseconds, before loading without it. @default 30000 */
  readonly wait?: number;
  /** How often one who waits tries, in milliseconds; each time is up to half of that later, at random. @default 25 */
  readonly retry?: number;
  /** The source of randomness: from 0 to less than 1. @default Math.random */
  readonly random?: () => number;
  /** The source of time. @default systemClock */
  readonly clock?: Clock;
}

/** The lock was not free within the time of `wait`. Code: `TENURE_REDIS_LOCK_TIMEOUT`. */
export class RedisLockTimeoutError extends TenureError {
  /** @internal */
  constructor(name: string, wait: number) {
    super(
      `The lock '${name}' was not free within ${wait} ms. If loads may take that long, raise the option \`wait\`.`,
      { code: 'TENURE_REDIS_LOCK_TIMEOUT' },
    );
  }

  static {
    nameErrorClass(RedisLockTimeoutError, 'RedisLockTimeoutError');
  }
}

const TAKE = `
if redis.call('set', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
  local fence = redis.call('incr', KEYS[2])
  redis.call('pexpire', KEYS[2], ARGV[3])
  return fence
end
return 0`;

/** How long the count of a lock's holders is kept: longer than any result could be on its way. */
const FENCE_MILLIS = 86_400_000;

/** The locks of one prefix. */
export class RedisLock implements ClusterLock {
  readonly #client: RedisClient;
  readonly #prefix: string;
  readonly #ttl: number;
  readonly #wait: number;
  readonly #retry: number;
  readonly #random: () => number;
  readonly #clock: Clock;

  constructor(client: RedisClient, options: RedisLockOptions) {
    this.#client = client;
    this.#prefix = options.prefix ?? 'tenure:lock:';
    this.#ttl = options.ttl ?? 5_000;
    this.#wait = options.wait ?? 30_000;
    this.#retry = options.retry ?? 25;
    this.#random = options.random ?? Math.random;
    this.#clock = options.clock ?? systemClock;
  }

  async acquire(name: string): Promise<ClusterLease> {
    // In braces, so that a cluster keeps both keys in one place.
    const key = `${this.#prefix}{${name}}`;
    const token = crypto.randomUUID();
    const deadline = this.#clock.now() + this.#wait;
    for (;;) {
      const asked = this.#clock.now();
      const fence = Number(
        await inTime(
          this.#clock,
          run(
            this.#client,
            TAKE,
            [key, `${key}:fence`],
            [token, String(this.#ttl), String(FENCE_MILLIS)],
          ),
        ),
      );
      if (fence > 0) {
        return new RedisLease(this.#client, this.#clock, key, token, fence, this.#ttl, asked);
      }
      if (this.#clock.now() >= deadline) throw new RedisLockTimeoutError(name, this.#wait);
      await this.#pause(this.#retry * (1 + this.#random() / 2));
    }
  }

  #pause(delay: number): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.setTimer(resolve, delay);
    });
  }
}
