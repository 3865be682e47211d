/** One process's hold of a lock. It is extended until it is released, as long as the process runs. */
import type { Clock, TimerHandle } from '../../core/clock.js';
import type { ClusterLease } from '../../memoize/cluster-lock.js';
import type { StoreTime } from '../../memoize/shared/store-time.js';
import { inTime, type RedisScripts, run } from './redis-client.js';

const EXTEND = `
if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end
return 0`;

/** Ends the life of a lock, and deletes it so. Needs no right that the script which takes it does not need. */
const RELEASE = `
if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], 0) end
return 0`;

/** Deletes a lock if it has this token. */
export function release(client: RedisScripts, key: string, token: string): Promise<unknown> {
  return run(client, RELEASE, [key], [token]);
}

/** A lock that Redis has given. */
export interface TakenLock {
  readonly client: RedisScripts;
  readonly clock: Clock;
  /** The time that Redis has for its answers. */
  readonly time: StoreTime;
  readonly key: string;
  readonly token: string;
  readonly fence: number;
  /** How long Redis keeps the lock after each request, in milliseconds. */
  readonly leaseMillis: number;
  /** When Redis was asked for it, in milliseconds of the clock. */
  readonly askedAt: number;
}

/** The hold of a lock, until it is released or lost. */
export class RedisLease implements ClusterLease {
  readonly fence: number;
  readonly #lock: TakenLock;
  /** The time until which Redis gives the lock to no other process, counted from before the last request. */
  #heldUntil: number;
  #isReleased = false;
  #timer: TimerHandle | undefined = undefined;

  constructor(lock: TakenLock) {
    this.#lock = lock;
    this.fence = lock.fence;
    this.#heldUntil = lock.askedAt + lock.leaseMillis;
    this.#scheduleExtension();
  }

  get lost(): boolean {
    return this.#isReleased || this.#lock.clock.now() >= this.#heldUntil;
  }

  async release(): Promise<void> {
    const { client, clock, time, key, token } = this.#lock;
    if (this.#timer !== undefined) clock.clearTimer(this.#timer);
    if (this.#isReleased) return;
    this.#isReleased = true;
    await inTime(time, release(client, key, token));
  }

  #scheduleExtension(): void {
    const { clock, leaseMillis } = this.#lock;
    const extend = (): void => void this.#extend();
    this.#timer = clock.setTimer(extend, leaseMillis / 3, { background: true });
  }

  async #extend(): Promise<void> {
    const { client, clock, key, token, leaseMillis } = this.#lock;
    const askedAt = clock.now();
    try {
      const held = await run(client, EXTEND, [key], [token, String(leaseMillis)]);
      this.#heldUntil = Number(held) === 1 ? askedAt + leaseMillis : askedAt;
    } catch {
      // The next attempt is scheduled below. If none succeeds, the lock is lost at the end of its time.
    }
    if (!this.lost) this.#scheduleExtension();
  }
}
