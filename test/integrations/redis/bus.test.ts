/** The bus over a real Redis: a first failure is not final. */
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { describe, expect, test, vi } from 'vitest';
import { type IoRedisSubscriber, redisBus } from '../../../src/integrations/redis.js';
import type { BusListener } from '../../../src/memoize/shared/index.js';
import { FakeClock } from '../../kit/fake-clock.js';
import { TcpProxy } from '../../kit/tcp-proxy.js';
import { until } from '../../kit/until.js';
import { canStart, connect, RedisServer } from './redis-server.js';

const PATIENCE = 30_000;

class Listener implements BusListener {
  readonly texts: string[] = [];
  readonly errors: unknown[] = [];
  isConnected = false;
  hasConnected = false;
  /** How often messages may have been lost. */
  losses = 0;

  message(text: string): void {
    this.texts.push(text);
  }

  connected(state: boolean): void {
    this.isConnected = state;
    this.hasConnected ||= state;
  }

  missed(): void {
    this.losses++;
  }

  error(error: unknown): void {
    this.errors.push(error);
  }
}

async function clientOf(kind: 'redis' | 'ioredis', url: string) {
  const client =
    kind === 'redis' ? createClient({ url }) : new Redis(url, { maxRetriesPerRequest: null });
  client.on('error', () => {});
  if (kind === 'redis') await (client as ReturnType<typeof createClient>).connect();
  const close = (): void => {
    if (client instanceof Redis) client.disconnect();
    else client.destroy();
  };
  return { client, [Symbol.dispose]: close };
}

describe.skipIf(!canStart).each(['redis', 'ioredis'] as const)('a bus with %s', (kind) => {
  test(
    'connects when the permission to subscribe is granted later',
    async () => {
      await using server = await RedisServer.own();
      await using admin = await connect(server.url);
      using own = await clientOf(kind, server.url);
      await admin.sendCommand(['ACL', 'SETUSER', 'default', '-subscribe']);
      const bus = redisBus(own.client, { heartbeatMillis: 50 });
      const listener = new Listener();
      using _subscription = bus.subscribe(listener);
      await until(() => listener.errors.length > 1);
      expect(listener.hasConnected).toBe(false);
      await admin.sendCommand(['ACL', 'SETUSER', 'default', '+subscribe']);
      await until(() => listener.isConnected);
      await bus.publish('text');
      await until(() => listener.texts.includes('text'));
    },
    PATIENCE,
  );

  test(
    'tells why Redis refuses its heartbeats, and connects when it takes them',
    async () => {
      await using server = await RedisServer.own();
      await using admin = await connect(server.url);
      using own = await clientOf(kind, server.url);
      await admin.sendCommand(['ACL', 'SETUSER', 'default', '-publish']);
      const listener = new Listener();
      using _subscription = redisBus(own.client, { heartbeatMillis: 50 }).subscribe(listener);
      await until(() => listener.errors.length > 0);
      expect(String(listener.errors[0])).toMatch(/NOPERM.*publish/);
      await until(() => !listener.isConnected);
      await admin.sendCommand(['ACL', 'SETUSER', 'default', '+publish']);
      await until(() => listener.isConnected);
    },
    PATIENCE,
  );

  test(
    'tells a second listener at once that it is connected',
    async () => {
      await using server = await RedisServer.own();
      using own = await clientOf(kind, server.url);
      const bus = redisBus(own.client);
      const [first, second] = [new Listener(), new Listener()];
      using _first = bus.subscribe(first);
      await until(() => first.isConnected);
      using _second = bus.subscribe(second);
      expect(second.isConnected).toBe(true);
    },
    PATIENCE,
  );

  test(
    'leaves no rejection unhandled when a reconnection may not subscribe: redis/ioredis#2187',
    async () => {
      await using server = await RedisServer.own();
      await using admin = await connect(server.url);
      using own = await clientOf(kind, server.url);
      const listener = new Listener();
      using _subscription = redisBus(own.client, { heartbeatMillis: 50 }).subscribe(listener);
      await until(() => listener.isConnected);
      await admin.sendCommand(['ACL', 'SETUSER', 'default', '-subscribe']);
      await admin.sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub']);
      await until(() => listener.errors.length > 1);
      expect(listener.isConnected).toBe(false);
      await admin.sendCommand(['ACL', 'SETUSER', 'default', '+subscribe']);
      await until(() => listener.isConnected);
    },
    PATIENCE,
  );

  test(
    'connects again after its client has given up, once the program has connected its own client again',
    async () => {
      await using server = await RedisServer.own();
      const giveUp = (retries: number): number | Error => (retries > 1 ? new Error('gives up') : 1);
      const client =
        kind === 'redis'
          ? createClient({ url: server.url, socket: { reconnectStrategy: giveUp } })
          : new Redis(server.url, {
              lazyConnect: true,
              retryStrategy: (retries) => (retries > 1 ? null : 1),
            });
      client.on('error', () => {});
      await client.connect();
      const bus = redisBus(client, { heartbeatMillis: 50 });
      const listener = new Listener();
      using _subscription = bus.subscribe(listener);
      await until(() => listener.isConnected);
      await server.kill();
      const hasEnded =
        client instanceof Redis ? () => client.status === 'end' : () => !client.isOpen;
      await until(hasEnded);
      await until(() => listener.errors.some((error) => String(error).includes('ECONNREFUSED')));
      await server.start();
      await client.connect();
      await until(() => listener.isConnected);
      await bus.publish('text');
      await until(() => listener.texts.includes('text'));
      if (client instanceof Redis) client.disconnect();
      else client.destroy();
    },
    PATIENCE,
  );

  test(
    'connects after a connection that is lost during the first subscription',
    async () => {
      await using server = await RedisServer.own();
      await using network = await TcpProxy.to(Number(new URL(server.url).port));
      using own = await clientOf(kind, `redis://127.0.0.1:${network.port}`);
      network.stall();
      const listener = new Listener();
      const bus = redisBus(own.client, { heartbeatMillis: 50 });
      using _subscription = bus.subscribe(listener);
      await until(() => network.connections > 1);
      network.cut();
      network.heal();
      await until(() => listener.isConnected);
      await bus.publish('text');
      await until(() => listener.texts.includes('text'));
    },
    PATIENCE,
  );

  test(
    'asks a Redis that gives no answers for one subscription at a time',
    async () => {
      await using server = await RedisServer.own();
      await using network = await TcpProxy.to(server.port);
      using own = await clientOf(kind, `redis://127.0.0.1:${network.port}`);
      const duplicate = own.client.duplicate.bind(own.client) as () => IoRedisSubscriber;
      const subscriber = duplicate();
      vi.spyOn(own.client, 'duplicate').mockReturnValue(subscriber as never);
      const subscribed = vi.spyOn(subscriber, 'subscribe');
      const clock = new FakeClock();
      const listener = new Listener();
      network.stall();
      using _subscription = redisBus(own.client, { clock }).subscribe(listener);
      await until(() => network.connections > 1);
      await clock.advance(60_000);
      network.cut();
      network.heal();
      await until(() => listener.isConnected);
      network.stall();
      await clock.advance(60_000);
      expect(listener.isConnected).toBe(false);
      expect(subscribed.mock.calls.length).toBeLessThanOrEqual(3);
    },
    PATIENCE,
  );

  test(
    'connects again after a lost connection at once, and not with the next heartbeat',
    async () => {
      await using server = await RedisServer.own();
      await using admin = await connect(server.url);
      using own = await clientOf(kind, server.url);
      const bus = redisBus(own.client, { clock: new FakeClock() });
      const states: boolean[] = [];
      const listener = new Listener();
      listener.connected = (state) => void states.push(state);
      using _subscription = bus.subscribe(listener);
      await until(() => states.length === 1);
      await admin.sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub']);
      await until(() => states.length === 3);
      expect(states).toEqual([true, false, true]);
      await bus.publish('text');
      await until(() => listener.texts.includes('text'));
    },
    PATIENCE,
  );

  test(
    'has no connection and no heartbeat after its last listener has left, and may be joined again',
    async () => {
      await using server = await RedisServer.own();
      await using admin = await connect(server.url);
      using own = await clientOf(kind, server.url);
      const clock = new FakeClock();
      const bus = redisBus(own.client, { clock });
      const subscribers = async () => (await admin.clientList({ TYPE: 'PUBSUB' })).length;
      vi.spyOn(own.client, 'duplicate').mockImplementationOnce(() => {
        throw new Error('no client');
      });
      expect(() => bus.subscribe(new Listener())).toThrow('no client');
      for (let time = 0; time < 2; time++) {
        const [first, last] = [new Listener(), new Listener()];
        const subscriptions = [bus.subscribe(first), bus.subscribe(last)];
        await until(() => first.isConnected && last.isConnected);
        subscriptions[0]?.[Symbol.dispose]();
        await bus.publish('text');
        await until(() => last.texts.includes('text'));
        expect(first.texts).toEqual([]);
        subscriptions[1]?.[Symbol.dispose]();
        await until(async () => (await subscribers()) === 0);
        expect(clock.pendingTimers).toBe(0);
      }
    },
    PATIENCE,
  );

  test(
    'notices a message that was lost on its way within two heartbeats of its sender, and no message that is late',
    async () => {
      await using server = await RedisServer.own();
      using sender = await clientOf(kind, server.url);
      using receiver = await clientOf(kind, server.url);
      const clock = new FakeClock();
      const bus = redisBus(sender.client, { clock });
      const [own, other] = [new Listener(), new Listener()];
      using _own = bus.subscribe(own);
      using _other = redisBus(receiver.client, { clock }).subscribe(other);
      await until(() => own.isConnected && other.isConnected);
      const arrived = async (text: string): Promise<void> => {
        await bus.publish(text);
        await until(() => [own, other].every(({ texts }) => texts.includes(text)));
      };
      const beat = async (): Promise<void> => {
        await clock.advance(2_000);
        await arrived(`after the beat at ${clock.now()}`); // The beat has arrived before it.
      };
      await arrived('first');

      await using network = await connect(server.url);
      const publish = vi.spyOn(sender.client, 'publish');
      publish.mockResolvedValueOnce(1);
      await bus.publish('late');
      await beat();
      await network.publish(...(publish.mock.calls[0] as [string, string]));
      await until(() => other.texts.includes('late'));
      for (let beats = 0; beats < 3; beats++) await beat();
      expect([own.losses, other.losses]).toEqual([0, 0]);

      publish.mockResolvedValueOnce(1);
      await bus.publish('lost');
      for (let beats = 0; beats < 2; beats++) await beat();
      expect([own.losses, other.losses]).toEqual([1, 1]);
      for (let beats = 0; beats < 3; beats++) await beat();
      expect([own.losses, other.losses]).toEqual([1, 1]);
      expect(other.texts).not.toContain('lost');
      expect([own.isConnected, other.isConnected]).toEqual([true, true]);
    },
    PATIENCE,
  );

  test(
    'sends a hung Redis a heartbeat in half a minute at most, and connects when it answers again',
    async () => {
      await using server = await RedisServer.own();
      using own = await clientOf(kind, server.url);
      const published = vi.spyOn(own.client, 'publish');
      const clock = new FakeClock();
      const listener = new Listener();
      using _subscription = redisBus(own.client, { clock }).subscribe(listener);
      await until(() => listener.isConnected);
      server.freeze();
      await clock.advance(89_000);
      expect(listener.isConnected).toBe(false);
      expect(published).toHaveBeenCalledTimes(3);
      server.thaw();
      await until(() => listener.isConnected);
    },
    PATIENCE,
  );
});

describe.skipIf(!canStart)('a bus with ioredis', () => {
  test(
    'connects again after a connection that was lost during a subscription, with a client that resends nothing',
    async () => {
      await using server = await RedisServer.own();
      await using network = await TcpProxy.to(server.port);
      const client = new Redis(`redis://127.0.0.1:${network.port}`, {
        autoResendUnfulfilledCommands: false,
        maxRetriesPerRequest: null,
      });
      using _client = { [Symbol.dispose]: () => client.disconnect() };
      client.on('error', () => {});
      await until(() => client.status === 'ready');
      const clock = new FakeClock();
      const listener = new Listener();
      using _subscription = redisBus(client, { clock }).subscribe(listener);
      await until(() => listener.isConnected);
      network.stall();
      await clock.advance(10_000); // Heartbeats and a subscription are underway.
      expect(listener.isConnected).toBe(false);
      network.cut();
      network.heal();
      await until(() => listener.isConnected);
      const published = vi.spyOn(client, 'publish');
      await clock.advance(2_000); // The heartbeat that was lost holds up no later one.
      expect(published).toHaveBeenCalledOnce();
    },
    PATIENCE,
  );

  test('stays disconnected while its heartbeats are lost, although it can subscribe', async () => {
    await using server = await RedisServer.own();
    const client = new Redis(server.url);
    using _client = { [Symbol.dispose]: () => client.disconnect() };
    client.on('error', () => {});
    const clock = new FakeClock();
    const states: boolean[] = [];
    const listener = new Listener();
    listener.connected = (state) => void states.push(state);
    using _subscription = redisBus(client, { clock }).subscribe(listener);
    await until(() => states.includes(true));
    vi.spyOn(client, 'publish').mockImplementation(() => new Promise(() => {}));
    await clock.advance(5_000);
    for (let beat = 0; beat < 10; beat++) {
      await clock.advance(2_000);
      await client.ping(); // By then a subscription is answered, too.
      await client.ping();
    }
    expect(states).toEqual([true, false]);
  });
});
