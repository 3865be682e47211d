/**
 * Redis or Valkey for caches that several processes share: a bus for their invalidations, and a lock that lets one process at a
 * time load a result. The client is of the package `redis` or `ioredis`. It stays yours and is never closed.
 *
 * @module
 */
import { systemClock } from '../core/clock.js';
import {
  aFunction,
  aName,
  checkArgument,
  integer,
  millis,
  type OptionTable,
  objectWith,
  option,
  resolveOptions,
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

const BUS_OPTIONS: OptionTable<Required<RedisBusOptions>> = {
  channel: option(aName, 'tenure:invalidation'),
  heartbeatMillis: option(integer(1), 2_000),
  clock: option(aClock, systemClock),
};

const LOCK_OPTIONS: OptionTable<Required<RedisLockOptions>> = {
  prefix: option(aName, 'tenure:lock:'),
  leaseMillis: option(integer(1), 5_000),
  waitMillis: option(millis, 30_000),
  retryMillis: option(integer(1), 25),
  random: option(aFunction, () => Math.random()),
  clock: option(aClock, systemClock),
};

/**
 * Makes a bus over Redis pub/sub, for the option `bus` of `sharedCache`. It opens one connection of its own when the first cache
 * subscribes, and closes it after the last one. A pool of clients cannot subscribe.
 *
 * @throws `InvalidArgumentError` (`TENURE_INVALID_ARGUMENT`) for a `client` that is not one, and for a malformed option.
 */
export function redisBus(client: RedisClient, options: RedisBusOptions = {}): InvalidationBus {
  checkArgument('redisBus', 'client', client, aBusClient);
  return new RedisBus(client, resolveOptions('redisBus', options, BUS_OPTIONS));
}

/**
 * Makes a lock over Redis, for the option `lock` of `sharedCache`. The client may be a pool of clients.
 *
 * @throws `InvalidArgumentError` (`TENURE_INVALID_ARGUMENT`) for a `client` that is not one, and for a malformed option.
 */
export function redisLock(client: RedisScripts, options: RedisLockOptions = {}): ClusterLock {
  checkArgument('redisLock', 'client', client, aScriptClient);
  return new RedisLock(client, resolveOptions('redisLock', options, LOCK_OPTIONS));
}
