/** The clients of the packages `redis` and `ioredis`: the parts that the bus and the lock use, and calls that work with both. */
import { nameErrorClass, TenureError } from '../../core/errors.js';
import { objectWith } from '../../core/options.js';
import { settledBefore } from '../../core/settled-before.js';
import type { StoreTime } from '../../memoize/shared/store-time.js';

/** The part of a client of the package `redis` that is used. */
export interface NodeRedisClient {
  /** Whether it was connected and has not been closed since. */
  readonly isOpen: boolean;
  /** Runs a script. */
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  /** Sends a message to a channel. */
  publish(channel: string, message: string): Promise<unknown>;
  /** Makes another client with this client's settings. */
  duplicate(): NodeRedisSubscriber;
}

/**
 * The part of a client of `createSentinel` of `redis` 5 that is used. It cannot be duplicated. It subscribes by a connection of its own,
 * which it opens again by itself, so it can send messages too.
 */
export interface NodeRedisSentinel
  extends Omit<NodeRedisClient, 'duplicate'>,
    Omit<NodeRedisSubscriber, 'connect' | 'destroy'> {
  /** Calls `listener` no more. */
  unsubscribe(channel: string, listener: (message: string) => void): Promise<unknown>;
  /** Removes a listener of an event. */
  off(event: string, listener: (error: unknown) => void): unknown;
}

/** The part of a client of the package `redis` that is used to subscribe. */
export interface NodeRedisSubscriber {
  /** Whether it was connected and has not been closed since. */
  readonly isOpen: boolean;
  /** Whether it is connected now. A client of a cluster does not tell. */
  readonly isReady?: boolean;
  /** Connects. */
  connect(): Promise<unknown>;
  /** Calls `listener` with each message of a channel from now on. */
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>;
  /** Disconnects at once. */
  destroy(): unknown;
  /** Adds a listener to an event. */
  on(event: string, listener: (error: unknown) => void): unknown;
}

/** The part of a client of the package `ioredis` that is used. */
export interface IoRedisClient {
  /** The state of its connection: `'ready'` when it can be used. */
  readonly status: string;
  /** Runs a script. */
  eval(script: string, keyCount: number, ...args: string[]): Promise<unknown>;
  /** Sends a message to a channel. */
  publish(channel: string, message: string): Promise<unknown>;
  /** Makes another client with this client's settings, but for those of `override`. */
  duplicate(override?: object): IoRedisSubscriber;
}

/** The part of a client of the package `ioredis` that is used to subscribe. */
export interface IoRedisSubscriber {
  /** The state of its connection: `'ready'` when it can be used. */
  readonly status: string;
  /** Emits each message of a channel as a `message` event from now on. */
  subscribe(channel: string): Promise<unknown>;
  /** Disconnects at once. */
  disconnect(): void;
  /** Adds a listener to an event. */
  on(event: string, listener: (...args: unknown[]) => void): unknown;
}

/** A client of `redis` or of `ioredis`, of one server, of a cluster or of sentinels. */
export type RedisClient = NodeRedisClient | NodeRedisSentinel | IoRedisClient;

/** The part of a client that runs scripts. A pool of clients, as `createClientPool` of `redis` makes, has it too. */
export type RedisScripts = Pick<NodeRedisClient, 'eval'> | Pick<IoRedisClient, 'eval' | 'status'>;

/** Redis gave no answer. Code: `TENURE_REDIS_SILENT`. */
export class RedisSilentError extends TenureError {
  /** @internal */
  constructor(waited: number) {
    super(
      `Redis gave no answer within ${waited} ms. See whether it runs, and whether the client is connected.`,
      {
        code: 'TENURE_REDIS_SILENT',
      },
    );
  }

  static {
    nameErrorClass(RedisSilentError, 'RedisSilentError');
  }
}

const aDuplicable = objectWith('publish', 'duplicate');
const aSentinel = objectWith('publish', 'subscribe', 'unsubscribe');

/** Checks that a client can send and receive messages. */
export function aBusClient(value: unknown): string | undefined {
  return aSentinel(value) && aDuplicable(value)
    ? 'a client that can subscribe, with publish() and duplicate(), as of `createClient`, and no pool of clients'
    : undefined;
}

/** Checks that a client runs scripts. */
export const aScriptClient = objectWith('eval');

/** Whether a client is of the package `ioredis`. Only those have a `status`. */
export function isIoRedis<C extends object>(client: C): client is Extract<C, { status: string }> {
  return 'status' in client && typeof client.status === 'string';
}

/** Whether the program has closed a client, or the client has given up. */
export function isClosed(client: RedisClient): boolean {
  return isIoRedis(client) ? client.status === 'end' : !client.isOpen;
}

/** Runs a script with a client of either package. */
export function run(
  client: RedisScripts,
  script: string,
  keys: string[],
  args: string[],
): Promise<unknown> {
  return isIoRedis(client)
    ? client.eval(script, keys.length, ...keys, ...args)
    : client.eval(script, { keys, arguments: args });
}

/** How long to wait for an answer of Redis, in milliseconds. */
const ANSWER_MILLIS = 1_000;

/** Limits the wait for an answer: a client without a connection may queue a command until it is connected again. */
export function inTime<T>(time: StoreTime, answer: Promise<T>): Promise<T> {
  return settledBefore(time, ANSWER_MILLIS, answer, (_resolve, reject) =>
    reject(new RedisSilentError(ANSWER_MILLIS)),
  );
}
