/// <reference lib="esnext.disposable" preserve="true" />
/**
 * The bus: a pub/sub channel, which forgets whoever is not connected. So a cache is told when the connection is lost, and
 * trusts nothing of its own until it is back. A connection can be dead without anybody saying so; a heartbeat on the same
 * channel finds out.
 */
import { type Clock, systemClock, type TimerHandle } from '../../core/clock.js';
import type { BusListener, InvalidationBus } from '../../memoize/invalidation-bus.js';
import {
  type IoRedisSubscriber,
  isIoRedis,
  type NodeRedisSubscriber,
  type RedisClient,
} from './redis-client.js';

/** Options of {@link redisBus}. */
export interface RedisBusOptions {
  /** The channel: the same in all processes. @default 'tenure:invalidation' */
  readonly channel?: string;
  /** How often the connection is tried, in milliseconds; a dead one is noticed after at most two of them. @default 2000 */
  readonly heartbeat?: number;
  /** The source of time. @default systemClock */
  readonly clock?: Clock;
}

const BEAT = 'beat ';

/** The bus over one channel. */
export class RedisBus implements InvalidationBus {
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
