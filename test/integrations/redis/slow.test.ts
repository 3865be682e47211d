/**
 * Shared caches over a real Redis behind a slow network. Their time moves by one round trip with each request and not otherwise, so
 * the tests see exactly how long a call waits.
 */
import { describe, expect, test } from 'vitest';
import { FakeClock } from '../../kit/fake-clock.js';
import { TcpProxy } from '../../kit/tcp-proxy.js';
import { canStart, RedisServer } from './redis-server.js';
import { SharedService } from './shared-service.js';

const PATIENCE = 60_000;
const STORE_TIMEOUT = 300;

/** A service whose requests to Redis take `roundTripMillis` each, once {@link slowDown} was called. */
class SlowService implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly service: SharedService;
  /** How many requests the slow network has taken. */
  requests = 0;
  readonly #server: RedisServer;
  readonly #network: TcpProxy;

  private constructor(server: RedisServer, network: TcpProxy) {
    this.#server = server;
    this.#network = network;
    this.service = new SharedService({
      url: `redis://127.0.0.1:${network.port}`,
      parts: ['lock'],
      shared: { clock: this.clock, storeTimeoutMillis: STORE_TIMEOUT },
    });
  }

  static async start(): Promise<SlowService> {
    const server = await RedisServer.own();
    return new SlowService(server, await TcpProxy.to(server.port));
  }

  slowDown(roundTripMillis: number): void {
    this.#network.slow(async () => {
      this.requests++;
      await this.clock.advance(roundTripMillis);
    });
  }

  /** How long a call takes until it is answered, on the clock of the cache. */
  async timed(
    call: () => Promise<string>,
  ): Promise<{ readonly millis: number; readonly result: string }> {
    const began = this.clock.now();
    const result = await call();
    return { millis: this.clock.now() - began, result };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.service[Symbol.asyncDispose]();
    await this.#network[Symbol.asyncDispose]();
    await this.#server[Symbol.asyncDispose]();
  }
}

describe.skipIf(!canStart)('a slow Redis', () => {
  test(
    'within the timeout is used as ever, and its hot keys cost no request',
    async () => {
      await using slow = await SlowService.start();
      const { service } = slow;
      const [one, other] = [await service.member(), await service.member()];
      await one('k');
      await one.flush();
      slow.slowDown(STORE_TIMEOUT / 10);
      expect(await other('k')).toBe('old');
      expect(service.loads).toBe(1);
      expect(other.cacheInfo().shared).toMatchObject({ store: 'answering' });
      const { requests } = slow;
      for (let call = 0; call < 100; call++) expect(await other('k')).toBe('old');
      expect(slow.requests).toBe(requests);
    },
    PATIENCE,
  );

  test(
    'all waits of a call for the store and the lock share one deadline, and then one breaker',
    async () => {
      await using slow = await SlowService.start();
      const { service } = slow;
      const one = await service.member();
      await one('hot');
      await one.flush();
      slow.slowDown(STORE_TIMEOUT * 0.4);
      const cold = await slow.timed(() => one('cold'));
      expect(cold.result).toBe('old');
      expect(cold.millis).toBeLessThanOrEqual(STORE_TIMEOUT);
      expect(one.cacheInfo().shared).toMatchObject({ store: 'resting' });
      await one.flush();
      const { requests } = slow;
      for (let id = 0; id < 50; id++) {
        expect(await slow.timed(() => one(`cold ${id}`))).toEqual({ millis: 0, result: 'old' });
        expect(await slow.timed(() => one('hot'))).toEqual({ millis: 0, result: 'old' });
      }
      expect(slow.requests, 'neither the store nor the lock is asked').toBe(requests);
    },
    PATIENCE,
  );
});
