/**
 * Redis or Valkey for caches that several processes share: a bus for their invalidations, and a lock that lets one process at a
 * time load a result. The client is of the package `redis` or `ioredis`. It stays yours and is never closed.
 *
 * @module
 */
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
import type { ClusterLock } from '../memoize/cluster-lock.js';
import type { InvalidationBus } from '../memoize/invalidation-bus.js';
import { RedisBus, type RedisBusOptions } from './redis/redis-bus.js';
import {
  aBusClient,
  aScriptClient,
  type RedisClient,
  type RedisScripts,
} from './redis/redis-client.js';
import { RedisLock, type RedisLockOptions } from './redis/redis-lock.js';

export type { RedisBusOptions } from './redis/redis-bus.js';
export {
  type IoRedisClient,
  type IoRedisSubscriber,
  type NodeRedisClient,
  type NodeRedisSentinel,
  type NodeRedisSubscriber,
  type RedisClient,
  type RedisScripts,
  RedisSilentError,
} from './redis/redis-client.js';
export { type RedisLockOptions, RedisLockTimeoutError } from './redis/redis-lock.js';

const aClock = objectWith('now', 'setTimer', 'clearTimer');

const BUS_CHECKS: OptionChecks<RedisBusOptions> = {
  channel: aName,
  heartbeatMillis: integer(1),
  clock: aClock,
};

const LOCK_CHECKS: OptionChecks<RedisLockOptions> = {
  prefix: aName,
  leaseMillis: integer(1),
  waitMillis: millis,
  retryMillis: integer(1),
  random: aFunction,
  clock: aClock,
};

/**
 * Makes a bus over Redis pub/sub, for the option `bus` of `sharedCache`. It opens one connection of its own when the first cache
 * subscribes, and closes it after the last one. A pool of clients cannot subscribe.
 *
 * @throws `InvalidArgumentError` (`TENURE_INVALID_ARGUMENT`) for a `client` that is not one, and for a malformed option.
 */
export function redisBus(client: RedisClient, options: RedisBusOptions = {}): InvalidationBus {
  checkArgument('redisBus', 'client', client, aBusClient);
  return new RedisBus(client, checkOptions('redisBus', options, BUS_CHECKS));
}

/**
 * Makes a lock over Redis, for the option `lock` of `sharedCache`. The client may be a pool of clients.
 *
 * @throws `InvalidArgumentError` (`TENURE_INVALID_ARGUMENT`) for a `client` that is not one, and for a malformed option.
 */
export function redisLock(client: RedisScripts, options: RedisLockOptions = {}): ClusterLock {
  checkArgument('redisLock', 'client', client, aScriptClient);
  return new RedisLock(client, checkOptions('redisLock', options, LOCK_CHECKS));
}
