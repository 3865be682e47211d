/**
 * A bus over a pub/sub channel of Redis. Redis does not keep messages for a subscriber that is not connected. So the bus tells its
 * caches when the connection is lost, and they do not trust their own entries until it is back.
 *
 * A connection can be broken without an event of the client. The bus therefore publishes a heartbeat on its channel. A heartbeat
 * that does not come back means that the connection is lost.
 *
 * A message can be lost while heartbeats are not: the client of a cluster moves its subscription to another server without an event, and
 * servers of a cluster pass messages on once. So each text on the channel has the name of its sender and a number (`missed-messages.ts`).
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { type Clock, systemClock, type TimerHandle } from '../../core/clock.js';
import { guardedClock } from '../../core/guarded-clock.js';
import type { BusListener, InvalidationBus } from '../../memoize/invalidation-bus.js';
import { MissedMessages } from './missed-messages.js';
import {
  type IoRedisSubscriber,
  isClosed,
  isIoRedis,
  type NodeRedisSentinel,
  type NodeRedisSubscriber,
  type RedisClient,
} from './redis-client.js';

/** Options of {@link redisBus}. */
export interface RedisBusOptions {
  /** The channel. All processes must have one channel. @default 'tenure:invalidation' */
  readonly channel?: string;
  /** The time between two heartbeats, in milliseconds. A lost connection or message is noticed after at most two. @default 2000 */
  readonly heartbeatMillis?: number;
  /** The source of time. @default systemClock */
  readonly clock?: Clock;
}

/** A text on the channel: its sender, the number of the message, and the message. That of a heartbeat is empty. */
const SENT = /^([\da-f-]{36}) (\d+) /;
/** How long no heartbeat follows one that Redis has not taken, in milliseconds: its client keeps all that it cannot send. */
const UNTAKEN_MILLIS = 30_000;

/**
 * The settings of a subscriber of ioredis.
 *
 * - The bus itself subscribes after a reconnection. ioredis 6.0.0 and earlier would leave a refusal unhandled, which ends the process
 *   (redis/ioredis#2187).
 * - With sentinels, it leaves a primary that was replaced. An old primary that was stopped and runs again would give it its heartbeats, and
 *   not the messages of processes at the new one. Without sentinels, ioredis ignores this.
 */
const SUBSCRIBER_SETTINGS = { autoResubscribe: false, failoverDetector: true };

/** A subscription to the channel, by one client. */
interface Subscription {
  /** Subscribes, unless that has succeeded before. Called again with each heartbeat while the bus is not connected. */
  begin(): Promise<void>;
  /** Whether its client has given up, as a client whose retry strategy says so does. It never subscribes again. */
  hasEnded(): boolean;
  close(): void;
}

/** The bus over one channel. */
export class RedisBus implements InvalidationBus {
  readonly #client: RedisClient;
  readonly #channel: string;
  readonly #heartbeatMillis: number;
  readonly #clock: Clock;
  readonly #listeners = new Set<BusListener>();
  readonly #id = crypto.randomUUID();
  readonly #missed = new MissedMessages();
  #sent = 0;
  #subscription: Subscription | undefined = undefined;
  #connected = false;
  #beatTimer: TimerHandle | undefined = undefined;
  #beatReceived = true;
  /** When a heartbeat was sent that Redis has not taken. */
  #untakenSince: number | undefined = undefined;

  constructor(client: RedisClient, options: RedisBusOptions) {
    this.#client = client;
    this.#channel = options.channel ?? 'tenure:invalidation';
    this.#heartbeatMillis = options.heartbeatMillis ?? 2_000;
    this.#clock = guardedClock(options.clock ?? systemClock);
  }

  publish(text: string): Promise<unknown> {
    this.#sent++;
    return this.#send(text);
  }

  subscribe(listener: BusListener): Disposable {
    if (this.#subscription === undefined) this.#open(); // First: a client that throws leaves no listener behind.
    this.#listeners.add(listener);
    if (this.#connected) listener.connected(true);
    return {
      [Symbol.dispose]: () => {
        if (!this.#listeners.delete(listener) || this.#listeners.size > 0) return;
        this.#subscription?.close();
        this.#subscription = undefined;
        this.#connected = false;
        if (this.#beatTimer !== undefined) this.#clock.clearTimer(this.#beatTimer);
      },
    };
  }

  #open(): void {
    this.#openSubscription();
    this.#scheduleBeat();
  }

  #openSubscription(): void {
    const client = this.#client;
    const subscription = isIoRedis(client)
      ? this.#openIoRedis(client.duplicate(SUBSCRIBER_SETTINGS))
      : 'duplicate' in client
        ? this.#openNodeRedis(client.duplicate())
        : this.#openSentinel(client);
    this.#subscription = subscription;
    void subscription.begin();
  }

  #openIoRedis(subscriber: IoRedisSubscriber): Subscription {
    let closed = false;
    let hasSubscribed = false;
    /** The request that is underway. A client with `autoResendUnfulfilledCommands: false` never settles one that a lost connection ends. */
    let request: symbol | undefined;
    const begin = async (): Promise<void> => {
      if (closed || request !== undefined) return;
      if (subscriber.status !== 'ready' && subscriber.status !== 'wait') return;
      const own = Symbol();
      request = own;
      try {
        await subscriber.subscribe(this.#channel);
        if (closed || subscriber.status !== 'ready') return;
        // Later ones on a connection prove nothing: heartbeats may be lost all the same.
        if (!hasSubscribed) this.#connect(true);
        hasSubscribed = true;
      } catch (error) {
        if (!closed) this.#failed(error);
      } finally {
        if (request === own) request = undefined;
      }
    };
    subscriber.on('message', (_channel, text) => {
      if (!closed) this.#receive(String(text));
    });
    subscriber.on('ready', () => void begin());
    subscriber.on('close', () => {
      hasSubscribed = false;
      request = undefined;
      if (!closed) this.#connect(false);
    });
    subscriber.on('error', (error) => {
      if (!closed) this.#failed(error);
    });
    const close = (): void => {
      closed = true;
      subscriber.disconnect();
    };
    return { begin, close, hasEnded: () => subscriber.status === 'end' };
  }

  #openNodeRedis(subscriber: NodeRedisSubscriber): Subscription {
    let closed = false;
    let hasSubscribed = false;
    let isBeginning = false;
    const lost = (): void => {
      if (!closed) this.#connect(false);
    };
    const begin = async (): Promise<void> => {
      if (closed || hasSubscribed || isBeginning) return;
      isBeginning = true;
      try {
        if (!subscriber.isOpen) await subscriber.connect();
        await subscriber.subscribe(this.#channel, (text) => {
          if (!closed) this.#receive(text);
        });
        hasSubscribed = true;
        if (!closed && subscriber.isReady !== false) this.#connect(true);
      } catch (error) {
        if (!closed) this.#failed(error);
      } finally {
        isBeginning = false;
      }
    };
    subscriber.on('error', (error: unknown) => {
      lost();
      if (!closed) this.#failed(error);
    });
    subscriber.on('reconnecting', lost);
    subscriber.on('end', lost);
    // After a reconnection the client subscribes again before it emits `ready`, if it has subscribed before.
    subscriber.on('ready', () => {
      if (!closed && hasSubscribed) this.#connect(true);
    });
    const close = (): void => {
      closed = true;
      try {
        subscriber.destroy();
      } catch {
        // The client was never open.
      }
    };
    return { begin, close, hasEnded: () => hasSubscribed && !subscriber.isOpen };
  }

  /**
   * Subscribes by the client itself, which the program connects and closes. It emits no event when its connection for messages is lost or
   * back. The heartbeats tell.
   */
  #openSentinel(client: NodeRedisSentinel): Subscription {
    let closed = false;
    let hasSubscribed = false;
    let isBeginning = false;
    const receive = (text: string): void => {
      if (!closed) this.#receive(text);
    };
    const onError = (error: unknown): void => {
      this.#connect(false);
      this.#failed(error);
    };
    const leave = async (): Promise<void> => {
      if (client.isOpen) await client.unsubscribe(this.#channel, receive).catch(() => {});
    };
    const begin = async (): Promise<void> => {
      if (isBeginning || !client.isOpen) return;
      isBeginning = true;
      try {
        await client.subscribe(this.#channel, receive); // A listener is added once.
        if (closed) return leave();
        if (!hasSubscribed) this.#connect(true);
        hasSubscribed = true;
      } catch (error) {
        if (!closed) this.#failed(error);
      } finally {
        isBeginning = false;
      }
    };
    client.on('error', onError);
    const close = (): void => {
      closed = true;
      client.off('error', onError);
      void leave();
    };
    return { begin, close, hasEnded: () => false };
  }

  async #send(text: string): Promise<unknown> {
    return this.#client.publish(this.#channel, `${this.#id} ${this.#sent} ${text}`);
  }

  #receive(sent: string): void {
    const [head = '', from = '', number] = SENT.exec(sent) ?? [];
    const text = sent.slice(head.length);
    const isBeat = text === '';
    if (isBeat && from === this.#id) {
      this.#beatReceived = true;
      this.#connect(true);
    }
    if (!isBeat) for (const listener of this.#listeners) listener.message(text);
    if (!this.#missed.note(from, Number(number), isBeat)) return;
    for (const listener of this.#listeners) listener.missed();
  }

  #connect(state: boolean): void {
    if (state === this.#connected) return;
    this.#connected = state;
    if (state) {
      this.#beatReceived = true;
      this.#untakenSince = undefined; // A client may have lost a heartbeat with its connection.
    }
    for (const listener of this.#listeners) listener.connected(state);
  }

  #failed(error: unknown): void {
    for (const listener of this.#listeners) listener.error(error);
  }

  /** Subscribes once more: by a new client if that of the subscription has given up, and the program has connected its own again. */
  #beginAgain(): void {
    if (this.#subscription?.hasEnded() !== true) void this.#subscription?.begin();
    else if (!isClosed(this.#client)) {
      this.#subscription.close();
      this.#openSubscription();
    }
  }

  #scheduleBeat(): void {
    this.#beatTimer = this.#clock.setTimer(() => this.#onBeat(), this.#heartbeatMillis, {
      background: true,
    });
  }

  #onBeat(): void {
    if (!this.#beatReceived) this.#connect(false);
    this.#beatReceived = false;
    if (!this.#connected) this.#beginAgain();
    void this.#sendBeat();
    this.#scheduleBeat();
  }

  async #sendBeat(): Promise<void> {
    const now = this.#clock.now();
    if (now - (this.#untakenSince ?? -Infinity) < UNTAKEN_MILLIS) return;
    this.#untakenSince = now;
    try {
      await this.#send('');
    } catch (error) {
      this.#failed(error); // Without the beat, the connection counts as lost.
    }
    this.#untakenSince = undefined;
  }
}
