/// <reference lib="esnext.disposable" preserve="true" />
/**
 * Redis, or Valkey, as what the processes of a service share: the bus on which their caches tell each other what is no
 * longer true, and the lock that lets one of them load at a time. The client is yours, of the package `redis` or
 * `ioredis`, and stays yours: nothing here closes it.
 *
 * **The bus** is a pub/sub channel, which forgets whoever is not connected. So a cache is told when the connection is
 * lost, and trusts nothing of its own until it is back. A connection can be dead without anybody saying so; a heartbeat
 * on the same channel finds out.
 *
 * **The lock** is the one of Redis' own documentation: `SET NX PX` with a token that only its holder knows, and scripts
 * that compare it before they prolong or delete. Its holder prolongs it three times in each `ttl`; a holder that died
 * does not, so the next one gets it at most `ttl` later. With each lock comes a number greater than that of any holder
 * before. One Redis is assumed, not several that vote: a failover may give the lock to two, who then both load, which
 * costs a load, and the number keeps the earlier one's result out.
 *
 * @module
 */
import { type Clock, systemClock, type TimerHandle } from '../core/clock.js';
import { nameErrorClass, TenureError } from '../core/errors.js';
import {
  aFunction,
  aName,
  checkArgument,
  checkOptions,
  integer,
  millis,
  type OptionChecks,
  objectWith,
} from '../core/options.js';
import type { ClusterLease, ClusterLock } from '../memoize/cluster-lock.js';
import type { BusListener, InvalidationBus } from '../memoize/invalidation-bus.js';

/** What is used of a client of the package `redis`. */
export interface NodeRedisClient {
  /** Whether it was connected, and not closed since. */
  readonly isOpen: boolean;
  /** Runs a script. */
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  /** Sends to a channel. */
  publish(channel: string, message: string): Promise<unknown>;
  /** Another client with the same settings. */
  duplicate(): NodeRedisSubscriber;
}

/** What is used of the duplicate that subscribes. */
export interface NodeRedisSubscriber {
  /** Whether it is connected now. */
  readonly isReady: boolean;
  /** Connects. */
  connect(): Promise<unknown>;
  /** Has `listener` called with each message of a channel. */
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>;
  /** Disconnects at once. */
  destroy(): unknown;
  /** Listens to an event. */
  on(event: string, listener: (error: unknown) => void): unknown;
}

/** What is used of a client of the package `ioredis`. */
export interface IoRedisClient {
  /** Where its connection is: `'ready'` when it can be used. */
  readonly status: string;
  /** Runs a script. */
  eval(script: string, keyCount: number, ...args: string[]): Promise<unknown>;
  /** Sends to a channel. */
  publish(channel: string, message: string): Promise<unknown>;
  /** Another client with the same settings. */
  duplicate(): IoRedisSubscriber;
}

/** What is used of the duplicate that subscribes. */
export interface IoRedisSubscriber {
  /** Where its connection is: `'ready'` when it can be used. */
  readonly status: string;
  /** Has messages of a channel come as `message` events. */
  subscribe(channel: string): Promise<unknown>;
  /** Disconnects at once. */
  disconnect(): void;
  /** Listens to an event. */
  on(event: string, listener: (...args: never[]) => void): unknown;
}

/** A client of `redis` or of `ioredis`. */
export type RedisClient = NodeRedisClient | IoRedisClient;

/** Options of {@link redisBus}. */
export interface RedisBusOptions {
  /** The channel: the same in all processes. @default 'tenure:invalidation' */
  readonly channel?: string;
  /** How often the connection is tried, in milliseconds; a dead one is noticed after at most two of them. @default 2000 */
  readonly heartbeat?: number;
  /** The source of time. @default systemClock */
  readonly clock?: Clock;
}

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

const aClock = objectWith('now', 'setTimer', 'clearTimer');
const aClient = objectWith('eval', 'publish', 'duplicate');

const BUS_CHECKS: OptionChecks<RedisBusOptions> = {
  channel: aName,
  heartbeat: integer(1),
  clock: aClock,
};

const LOCK_CHECKS: OptionChecks<RedisLockOptions> = {
  prefix: aName,
  ttl: integer(1),
  wait: millis,
  retry: integer(1),
  random: aFunction,
  clock: aClock,
};

/**
 * The bus over Redis pub/sub, for the option `bus` of `memoize`. It makes one connection of its own, when the first cache
 * subscribes, and closes it after the last.
 *
 * @throws `InvalidArgumentError` (`TENURE_INVALID_ARGUMENT`) for what is no client, and for a malformed option.
 */
export function redisBus(client: RedisClient, options: RedisBusOptions = {}): InvalidationBus {
  checkArgument('redisBus', 'client', client, aClient);
  checkOptions('redisBus', options, BUS_CHECKS);
  return new RedisBus(client, options);
}

/**
 * The lock over Redis, for the option `lock` of `memoize`.
 *
 * @throws `InvalidArgumentError` (`TENURE_INVALID_ARGUMENT`) for what is no client, and for a malformed option.
 */
export function redisLock(client: RedisClient, options: RedisLockOptions = {}): ClusterLock {
  checkArgument('redisLock', 'client', client, aClient);
  checkOptions('redisLock', options, LOCK_CHECKS);
  return new RedisLock(client, options);
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

/** Redis gave no answer. Code: `TENURE_REDIS_SILENT`. */
export class RedisSilentError extends TenureError {
  /** @internal */
  constructor(waited: number) {
    super(`Redis gave no answer within ${waited} ms. Is it running, and is the client connected?`, {
      code: 'TENURE_REDIS_SILENT',
    });
  }

  static {
    nameErrorClass(RedisSilentError, 'RedisSilentError');
  }
}

/** How long an answer of Redis is waited for. */
const ANSWER_MILLIS = 1_000;

const BEAT = 'beat ';

class RedisBus implements InvalidationBus {
  readonly #client: RedisClient;
  readonly #channel: string;
  readonly #heartbeat: number;
  readonly #clock: Clock;
  readonly #listeners = new Set<BusListener>();
  readonly #beat = `${BEAT}${crypto.randomUUID()}`;
  #close: (() => void) | undefined = undefined;
  #connected = false;
  #beatTimer: TimerHandle | undefined = undefined;
  #beatHeard = true;

  constructor(client: RedisClient, options: RedisBusOptions) {
    this.#client = client;
    this.#channel = options.channel ?? 'tenure:invalidation';
    this.#heartbeat = options.heartbeat ?? 2_000;
    this.#clock = options.clock ?? systemClock;
  }

  publish(text: string): Promise<unknown> {
    return this.#client.publish(this.#channel, text);
  }

  subscribe(listener: BusListener): Disposable {
    this.#listeners.add(listener);
    if (this.#close === undefined) this.#open();
    else if (this.#connected) listener.connected(true);
    return {
      [Symbol.dispose]: () => {
        if (!this.#listeners.delete(listener) || this.#listeners.size > 0) return;
        this.#close?.();
        this.#close = undefined;
        this.#connected = false;
        if (this.#beatTimer !== undefined) this.#clock.clearTimer(this.#beatTimer);
      },
    };
  }

  #open(): void {
    this.#close = isIoRedis(this.#client)
      ? this.#openIoRedis(this.#client.duplicate())
      : this.#openNodeRedis(this.#client.duplicate());
    this.#beatHeard = true;
    this.#armBeat();
  }

  #openIoRedis(subscriber: IoRedisSubscriber): () => void {
    let closed = false;
    const subscribe = (): void => {
      subscriber.subscribe(this.#channel).then(
        () => {
          if (!closed && subscriber.status === 'ready') this.#connect(true);
        },
        (error: unknown) => {
          if (!closed) this.#failed(error);
        },
      );
    };
    subscriber.on('message', (channel: string, text: string) => {
      if (!closed && channel === this.#channel) this.#receive(text);
    });
    subscriber.on('ready', subscribe);
    subscriber.on('close', () => {
      if (!closed) this.#connect(false);
    });
    subscriber.on('error', (error: unknown) => {
      if (!closed) this.#failed(error);
    });
    if (subscriber.status === 'ready' || subscriber.status === 'wait') subscribe();
    return () => {
      closed = true;
      subscriber.disconnect();
    };
  }

  #openNodeRedis(subscriber: NodeRedisSubscriber): () => void {
    let closed = false;
    let subscribed = false;
    const lost = (): void => {
      if (!closed) this.#connect(false);
    };
    subscriber.on('error', (error: unknown) => {
      lost();
      if (!closed) this.#failed(error);
    });
    subscriber.on('reconnecting', lost);
    subscriber.on('end', lost);
    // The client has subscribed again before it says that it is ready.
    subscriber.on('ready', () => {
      if (!closed && subscribed) this.#connect(true);
    });
    const begin = async (): Promise<void> => {
      await subscriber.connect();
      await subscriber.subscribe(this.#channel, (text) => {
        if (!closed) this.#receive(text);
      });
      subscribed = true;
      if (!closed && subscriber.isReady) this.#connect(true);
    };
    begin().catch((error: unknown) => {
      if (!closed) this.#failed(error);
    });
    return () => {
      closed = true;
      try {
        subscriber.destroy();
      } catch {
        // It says that it was never open.
      }
    };
  }

  #receive(text: string): void {
    if (text === this.#beat) {
      this.#beatHeard = true;
      this.#connect(true);
    } else if (!text.startsWith(BEAT))
      for (const listener of this.#listeners) listener.message(text);
  }

  #connect(state: boolean): void {
    if (state === this.#connected) return;
    this.#connected = state;
    if (state) this.#beatHeard = true;
    for (const listener of this.#listeners) listener.connected(state);
  }

  #failed(error: unknown): void {
    for (const listener of this.#listeners) listener.error(error);
  }

  #armBeat(): void {
    this.#beatTimer = this.#clock.setTimer(() => this.#onBeat(), this.#heartbeat, {
      background: true,
    });
  }

  #onBeat(): void {
    if (!this.#beatHeard) this.#connect(false);
    this.#beatHeard = false;
    this.#client.publish(this.#channel, this.#beat).catch(() => {}); // It will not be heard, which says it all.
    this.#armBeat();
  }
}

const TAKE = `
if redis.call('set', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
  local fence = redis.call('incr', KEYS[2])
  redis.call('pexpire', KEYS[2], ARGV[3])
  return fence
end
return 0`;

const PROLONG = `
if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end
return 0`;

const GIVE_BACK = `
if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end
return 0`;

/** How long the count of a lock's holders is kept: longer than any result could be on its way. */
const FENCE_MILLIS = 86_400_000;

class RedisLock implements ClusterLock {
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

class RedisLease implements ClusterLease {
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

/** Only a client of `ioredis` tells its status by a word. */
function isIoRedis(client: RedisClient): client is IoRedisClient {
  return 'status' in client && typeof client.status === 'string';
}

function run(
  client: RedisClient,
  script: string,
  keys: string[],
  args: string[],
): Promise<unknown> {
  return isIoRedis(client)
    ? client.eval(script, keys.length, ...keys, ...args)
    : client.eval(script, { keys, arguments: args });
}

/** A client without a connection may keep a command for as long as that lasts. */
function inTime<T>(clock: Clock, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(() => reject(new RedisSilentError(ANSWER_MILLIS)), ANSWER_MILLIS);
    void answer.then(resolve, reject).finally(() => clock.clearTimer(timer));
  });
}
