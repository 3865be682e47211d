/** One holder's time with a lock: prolonged as long as the holder lives. */
import type { Clock, TimerHandle } from '../../core/clock.js';
import type { ClusterLease } from '../../memoize/cluster-lock.js';
import { inTime, type RedisClient, run } from './redis-client.js';

const PROLONG = `
if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end
return 0`;

const GIVE_BACK = `
if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end
return 0`;

/** A lock that is held, until it is given back or lost. */
export class RedisLease implements ClusterLease {
  readonly fence: number;
  readonly #client: RedisClient;
  readonly #clock: Clock;
  readonly #key: string;
  readonly #token: string;
  readonly #ttl: number;
  /** Until when nobody else can have it, for all that is known here. */
  #until: number;
  #over = false;
  #timer: TimerHandle | undefined = undefined;

  constructor(
    client: RedisClient,
    clock: Clock,
    key: string,
    token: string,
    fence: number,
    ttl: number,
    asked: number,
  ) {
    this.#client = client;
    this.#clock = clock;
    this.#key = key;
    this.#token = token;
    this.fence = fence;
    this.#ttl = ttl;
    this.#until = asked + ttl;
    this.#arm();
  }

  get lost(): boolean {
    return this.#over || this.#clock.now() >= this.#until;
  }

  async release(): Promise<void> {
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer);
    if (this.#over) return;
    this.#over = true;
    await inTime(this.#clock, run(this.#client, GIVE_BACK, [this.#key], [this.#token]));
  }

  #arm(): void {
    this.#timer = this.#clock.setTimer(() => void this.#prolong(), this.#ttl / 3, {
      background: true,
    });
  }

  async #prolong(): Promise<void> {
    const asked = this.#clock.now();
    try {
      const held = await run(this.#client, PROLONG, [this.#key], [this.#token, String(this.#ttl)]);
      if (this.#over) return;
      if (Number(held) === 1) this.#until = asked + this.#ttl;
      else this.#until = asked;
    } catch {
      // Tried again below; without success it is lost when its time is up.
    }
    if (!this.lost) this.#arm();
  }
}
