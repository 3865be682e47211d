/** One process's hold of a lock. It is extended until it is released, as long as the process runs. */
import type { Clock, TimerHandle } from '../../core/clock.js';
import type { ClusterLease } from '../../memoize/cluster-lock.js';
import type { StoreTime } from '../../memoize/shared/store-time.js';
import { inTime, type RedisClient, run } from './redis-client.js';

const EXTEND = `
if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end
return 0`;

const RELEASE = `
if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end
return 0`;

/** Deletes a lock if it has this token. */
export function release(client: RedisClient, key: string, token: string): Promise<unknown> {
  return run(client, RELEASE, [key], [token]);
}

/** The hold of a lock, until it is released or lost. */
export class RedisLease implements ClusterLease {
  readonly fence: number;
  readonly #client: RedisClient;
  readonly #clock: Clock;
  readonly #time: StoreTime;
  readonly #key: string;
  readonly #token: string;
  readonly #leaseMillis: number;
  /** The time until which Redis gives the lock to no other process, counted from before the last request. */
  #heldUntil: number;
  #isReleased = false;
  #timer: TimerHandle | undefined = undefined;

  constructor(
    client: RedisClient,
    clock: Clock,
    time: StoreTime,
    key: string,
    token: string,
    fence: number,
    leaseMillis: number,
    asked: number,
  ) {
    this.#client = client;
    this.#clock = clock;
    this.#time = time;
    this.#key = key;
    this.#token = token;
    this.fence = fence;
    this.#leaseMillis = leaseMillis;
    this.#heldUntil = asked + leaseMillis;
    this.#scheduleExtension();
  }

  get lost(): boolean {
    return this.#isReleased || this.#clock.now() >= this.#heldUntil;
  }

  async release(): Promise<void> {
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer);
    if (this.#isReleased) return;
    this.#isReleased = true;
    await inTime(this.#time, release(this.#client, this.#key, this.#token));
  }

  #scheduleExtension(): void {
    this.#timer = this.#clock.setTimer(() => void this.#extend(), this.#leaseMillis / 3, {
      background: true,
    });
  }

  async #extend(): Promise<void> {
    const asked = this.#clock.now();
    try {
      const held = await run(
        this.#client,
        EXTEND,
        [this.#key],
        [this.#token, String(this.#leaseMillis)],
      );
      if (this.#isReleased) return;
      if (Number(held) === 1) this.#heldUntil = asked + this.#leaseMillis;
      else this.#heldUntil = asked;
    } catch {
      // The next attempt is scheduled below. If none succeeds, the lock is lost at the end of its time.
    }
    if (!this.lost) this.#scheduleExtension();
  }
}
