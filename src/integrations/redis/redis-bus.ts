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
import type { Clock, TimerHandle } from '../../core/clock.js';
import { guardedClock } from '../../core/guarded-clock.js';
import type { BusListener, InvalidationBus } from '../../memoize/invalidation-bus.js';
import { MissedMessages } from './missed-messages.js';
import { isClosed, type RedisClient } from './redis-client.js';
import { makeSubscription, type Subscription } from './redis-subscription.js';

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

  constructor(client: RedisClient, settings: Required<RedisBusOptions>) {
    this.#client = client;
    this.#channel = settings.channel;
    this.#heartbeatMillis = settings.heartbeatMillis;
    this.#clock = guardedClock(settings.clock);
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
    this.#subscription = makeSubscription(this.#client, this.#channel, {
      received: (text) => this.#receive(text),
      connected: (isConnected) => this.#connect(isConnected),
      failed: (error) => this.#failed(error),
    });
    void this.#subscription.begin();
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
