/**
 * The access of one cache to its bus. A message that the bus does not take in time shows that the bus is silent. From then on only one
 * message at a time is sent, as a probe, until the bus has answered any of them: its client keeps all that it cannot send.
 */
import type { Clock } from '../../core/clock.js';
import type { InvalidationBus } from '../invalidation-bus.js';
import { messagesAbout } from './bus-messages.js';
import { inTime } from './in-time.js';
import type { Invalidation } from './invalidation-outbox.js';
import { ProbePace } from './probe-pace.js';
import { SharedStoreError } from './shared-store-error.js';
import { StoreTime } from './store-time.js';

/** What the messages of one cache are sent with. */
export interface BusAccessSettings {
  readonly bus: InvalidationBus;
  readonly clock: Clock;
  readonly timeoutMillis: number;
  /** The names of the sender and of the cache. */
  readonly from: string;
  readonly cache: string;
}

/** The messages of one cache. */
export class BusAccess {
  readonly #settings: BusAccessSettings;
  readonly #time: StoreTime;
  readonly #pace: ProbePace;
  #isSilent = false;

  constructor(settings: BusAccessSettings) {
    this.#settings = settings;
    this.#time = new StoreTime(settings.clock);
    this.#pace = new ProbePace(settings.clock);
  }

  /** Sends messages about invalidations, at least one. Rejects unless all were sent. */
  async publish(invalidations: readonly Invalidation[]): Promise<void> {
    const [first, ...others] = invalidations as readonly [Invalidation, ...Invalidation[]];
    if (!this.#isSilent) return this.#send(invalidations);
    if (!this.#pace.mayProbe()) {
      throw new SharedStoreError('The bus gives no answers. The message is sent again later.');
    }
    await this.#send([first]);
    await this.#send(others);
  }

  /** Lets the next message be sent, although the bus gave no answers. */
  tryAgain(): void {
    this.#pace.reset();
  }

  async #send(invalidations: readonly Invalidation[]): Promise<void> {
    const { from, cache, timeoutMillis } = this.#settings;
    const messages = [...messagesAbout(from, cache, invalidations)];
    const onLate = (): Error => {
      this.#isSilent = true;
      return new SharedStoreError('The bus did not take a message in time.');
    };
    await Promise.all(
      messages.map((text) => inTime(this.#time, () => this.#ask(text), timeoutMillis, { onLate })),
    );
  }

  /** A refusal is an answer too, and so is one that comes late. */
  async #ask(text: string): Promise<void> {
    try {
      await this.#settings.bus.publish(text);
    } finally {
      this.#isSilent = false;
      this.#pace.reset();
    }
  }
}
