/**
 * The access of one cache to its bus. A message that the bus does not take in time shows that the bus is silent. From then on only one
 * message at a time is sent, as a probe, until the bus has answered any of them: its client keeps all that it cannot send.
 */
import type { Clock } from '../../core/clock.js';
import type { InvalidationBus } from '../invalidation-bus.js';
import { messagesAbout } from './bus-messages.js';
import { inTime } from './in-time.js';
import type { Invalidation } from './invalidation.js';
import { SharedStoreError } from './shared-store-error.js';
import { SpacedProbes } from './spaced-probes.js';
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
  readonly #probes: SpacedProbes;
  #isSilent = false;
  #sent = 0;

  constructor(settings: BusAccessSettings) {
    this.#settings = settings;
    this.#time = new StoreTime(settings.clock);
    this.#probes = new SpacedProbes(settings.clock);
  }

  /** Sends messages about invalidations, at least one. Rejects unless all were sent. */
  async publish(invalidations: readonly Invalidation[]): Promise<void> {
    const [first, ...others] = invalidations as readonly [Invalidation, ...Invalidation[]];
    if (!this.#isSilent) return this.#send(invalidations);
    const probe = this.#probes.begin(() => this.#send([first]));
    if (probe !== undefined) {
      await probe;
      return this.#send(others);
    }
    await this.#probes.ended();
    if (!this.#isSilent) return this.#send(invalidations);
    throw new SharedStoreError('The bus gives no answers. The message is sent again later.');
  }

  /** Lets the next message be sent, although the bus gave no answers. */
  tryAgain(): void {
    this.#probes.reset();
  }

  /** What the bus takes too late is published all the same. Otherwise a bus that is slow would be sent it again and again. */
  async #send(invalidations: readonly Invalidation[]): Promise<void> {
    const { from, cache, timeoutMillis } = this.#settings;
    const messages = [...messagesAbout(from, cache, invalidations, () => ++this.#sent)];
    const answers = messages.map((text) => this.#ask(text));
    const tokens = invalidations.map(({ token }) => token);
    const notePublished = (): void => {
      for (const [at, each] of invalidations.entries()) each.notePublished(tokens[at] as string);
    };
    Promise.all(answers).then(notePublished, () => {}); // The caller is told of a refusal.
    const onLate = (): Error => {
      this.#isSilent = true;
      return new SharedStoreError('The bus did not take a message in time.');
    };
    await Promise.all(
      answers.map((answer) => inTime(this.#time, () => answer, timeoutMillis, { onLate })),
    );
  }

  /** A refusal is an answer too, and so is one that comes late. */
  async #ask(text: string): Promise<void> {
    try {
      await this.#settings.bus.publish(text);
    } finally {
      this.#isSilent = false;
      this.#probes.reset();
    }
  }
}
