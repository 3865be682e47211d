/**
 * The clients of the packages `redis` and `ioredis`, as far as they are used here, and what tells them apart.
 */
import type { Clock } from '../../core/clock.js';
import { nameErrorClass, TenureError } from '../../core/errors.js';
import { objectWith } from '../../core/options.js';

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

/** Checks that a value is one. */
export const aClient = objectWith('eval', 'publish', 'duplicate');

/** Only a client of `ioredis` tells its status by a word. */
export function isIoRedis(client: RedisClient): client is IoRedisClient {
  return 'status' in client && typeof client.status === 'string';
}

/** Runs a script with either. */
export function run(
  client: RedisClient,
  script: string,
  keys: string[],
  args: string[],
): Promise<unknown> {
  return isIoRedis(client)
    ? client.eval(script, keys.length, ...keys, ...args)
    : client.eval(script, { keys, arguments: args });
}

/** How long an answer of Redis is waited for. */
const ANSWER_MILLIS = 1_000;

/** A client without a connection may keep a command for as long as that lasts. */
export function inTime<T>(clock: Clock, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(() => reject(new RedisSilentError(ANSWER_MILLIS)), ANSWER_MILLIS);
    void answer.then(resolve, reject).finally(() => clock.clearTimer(timer));
  });
}
