/**
 * Redis, or Valkey, as what the processes of a service share: the bus on which their caches tell each other what is no
 * longer true, and the lock that lets one of them load at a time. The client is yours, of the package `redis` or
 * `ioredis`, and stays yours: nothing here closes it.
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
import { aClient, type RedisClient } from './redis/redis-client.js';
import { RedisLock, type RedisLockOptions } from './redis/redis-lock.js';

export type { RedisBusOptions } from './redis/redis-bus.js';
export {
  type IoRedisClient,
  type IoRedisSubscriber,
  type NodeRedisClient,
  type NodeRedisSubscriber,
  type RedisClient,
  RedisSilentError,
} from './redis/redis-client.js';
export { type RedisLockOptions, RedisLockTimeoutError } from './redis/redis-lock.js';

const aClock = objectWith('now', 'setTimer', 'clearTimer');

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
