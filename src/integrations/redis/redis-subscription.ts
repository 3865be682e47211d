/**
 * Subscriptions to one channel, by the clients of each package. A client that cannot subscribe now is asked again with each heartbeat of
 * the bus, by `begin`.
 *
 * | client | subscribes by | tells that its connection is lost or back |
 * |---|---|---|
 * | ioredis | a duplicate of its own | by its events |
 * | redis | a duplicate of its own | by its events |
 * | a client of sentinels of redis | the client itself, which the program connects and closes | not at all: the heartbeats tell |
 */
import {
  type IoRedisSubscriber,
  isIoRedis,
  type NodeRedisSentinel,
  type NodeRedisSubscriber,
  type RedisClient,
} from './redis-client.js';

/** Told what happens to a subscription. */
export interface SubscriptionListener {
  /** A text has arrived on the channel. */
  readonly received: (text: string) => void;
  /** The connection is there now, or is lost. */
  readonly connected: (isConnected: boolean) => void;
  /** The client has reported an error, or refused to subscribe. */
  readonly failed: (error: unknown) => void;
}

/** A subscription to a channel, by one client. */
export interface Subscription {
  /** Subscribes, unless that has succeeded before. Never rejects. */
  begin(): Promise<void>;
  /** Whether its client has given up, as a client whose retry strategy says so does. It never subscribes again. */
  hasEnded(): boolean;
  close(): void;
}

/**
 * The settings of a subscriber of ioredis.
 *
 * - The bus itself subscribes after a reconnection. ioredis 6.0.0 and earlier would leave a refusal unhandled, which ends the process
 *   (redis/ioredis#2187).
 * - With sentinels, it leaves a primary that was replaced. An old primary that was stopped and runs again would give it its heartbeats, and
 *   not the messages of processes at the new one. Without sentinels, ioredis ignores this.
 */
const SUBSCRIBER_SETTINGS = { autoResubscribe: false, failoverDetector: true };

/** Makes a subscription to `channel`, which has not begun. `listener` is told nothing after `close`. */
export function makeSubscription(
  client: RedisClient,
  channel: string,
  { received, connected, failed }: SubscriptionListener,
): Subscription {
  let isClosed = false;
  const unlessClosed =
    <A>(tell: (what: A) => void) =>
    (what: A): void => {
      if (!isClosed) tell(what);
    };
  const untilClose: SubscriptionListener = {
    received: unlessClosed(received),
    connected: unlessClosed(connected),
    failed: unlessClosed(failed),
  };
  const subscription = isIoRedis(client)
    ? byIoRedis(client.duplicate(SUBSCRIBER_SETTINGS), channel, untilClose)
    : 'duplicate' in client
      ? byNodeRedis(client.duplicate(), channel, untilClose)
      : bySentinel(client, channel, untilClose);
  return {
    ...subscription,
    async begin() {
      if (!isClosed) await subscription.begin();
    },
    close() {
      isClosed = true;
      subscription.close();
    },
  };
}

function byIoRedis(
  subscriber: IoRedisSubscriber,
  channel: string,
  { received, connected, failed }: SubscriptionListener,
): Subscription {
  let hasSubscribed = false;
  /** The request that is underway. A client with `autoResendUnfulfilledCommands: false` never settles one that a lost connection ends. */
  let request: symbol | undefined;
  const begin = async (): Promise<void> => {
    if (request !== undefined) return;
    if (subscriber.status !== 'ready' && subscriber.status !== 'wait') return;
    const own = Symbol();
    request = own;
    try {
      await subscriber.subscribe(channel);
      if (subscriber.status !== 'ready') return;
      // Later ones on a connection prove nothing: heartbeats may be lost all the same.
      if (!hasSubscribed) connected(true);
      hasSubscribed = true;
    } catch (error) {
      failed(error);
    } finally {
      if (request === own) request = undefined;
    }
  };
  subscriber.on('message', (_channel, text) => received(String(text)));
  subscriber.on('ready', () => void begin());
  subscriber.on('close', () => {
    hasSubscribed = false;
    request = undefined;
    connected(false);
  });
  subscriber.on('error', failed);
  return {
    begin,
    hasEnded: () => subscriber.status === 'end',
    close: () => subscriber.disconnect(),
  };
}

function byNodeRedis(
  subscriber: NodeRedisSubscriber,
  channel: string,
  { received, connected, failed }: SubscriptionListener,
): Subscription {
  let hasSubscribed = false;
  let isBeginning = false;
  const lost = (): void => connected(false);
  subscriber.on('error', (error) => {
    lost();
    failed(error);
  });
  subscriber.on('reconnecting', lost);
  subscriber.on('end', lost);
  // After a reconnection the client subscribes again before it emits `ready`, if it has subscribed before.
  subscriber.on('ready', () => {
    if (hasSubscribed) connected(true);
  });
  return {
    async begin() {
      if (hasSubscribed || isBeginning) return;
      isBeginning = true;
      try {
        if (!subscriber.isOpen) await subscriber.connect();
        await subscriber.subscribe(channel, received);
        hasSubscribed = true;
        if (subscriber.isReady !== false) connected(true);
      } catch (error) {
        failed(error);
      } finally {
        isBeginning = false;
      }
    },
    hasEnded: () => hasSubscribed && !subscriber.isOpen,
    close() {
      try {
        subscriber.destroy();
      } catch {
        // The client was never open.
      }
    },
  };
}

function bySentinel(
  client: NodeRedisSentinel,
  channel: string,
  { received, connected, failed }: SubscriptionListener,
): Subscription {
  let isClosed = false;
  let hasSubscribed = false;
  let isBeginning = false;
  const onError = (error: unknown): void => {
    connected(false);
    failed(error);
  };
  const leave = async (): Promise<void> => {
    if (client.isOpen) await client.unsubscribe(channel, received).catch(() => {});
  };
  client.on('error', onError);
  return {
    async begin() {
      if (isBeginning || !client.isOpen) return;
      isBeginning = true;
      try {
        await client.subscribe(channel, received); // A listener is added once.
        if (isClosed) return leave();
        if (!hasSubscribed) connected(true);
        hasSubscribed = true;
      } catch (error) {
        failed(error);
      } finally {
        isBeginning = false;
      }
    },
    hasEnded: () => false,
    close() {
      isClosed = true;
      client.off('error', onError);
      void leave();
    },
  };
}
