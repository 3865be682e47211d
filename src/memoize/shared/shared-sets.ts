/**
 * Writes values to the store that `set` has given, each under the tokens that were present when it was given. An invalidation that comes
 * while a value is on its way must cover it. So a value is not written if such an invalidation was made here or announced, or if the store
 * had the token of another one in the place of its own. The next call then loads.
 */
import type { EntryTerms } from '../entry-terms.js';
import type { ResultOrigin } from '../result-origin.js';
import type { SharedLoad } from '../shared-port.js';
import type { Announced } from './bus-messages.js';
import type { Invalidation } from './invalidation.js';
import type { InvalidationOutbox } from './invalidation-outbox.js';
import type { SharedResults } from './shared-results.js';

/** A value on its way. */
interface ValueToShare {
  readonly load: SharedLoad;
  /** Of the entry of this process. */
  readonly origin: ResultOrigin;
  readonly invalidation: Invalidation;
  readonly value: unknown;
  readonly terms: EntryTerms;
  /** The tags of the value, in their public form. */
  readonly tags: readonly string[];
}

/** The values of one cache on their way to the store. */
export class SharedSets {
  readonly #results: SharedResults;
  readonly #outbox: InvalidationOutbox;
  readonly #underway = new Set<ValueToShare>();

  constructor(results: SharedResults, outbox: InvalidationOutbox) {
    this.#results = results;
    this.#outbox = outbox;
  }

  /** Writes a value once the store has the invalidation of the one before it. */
  async share(given: ValueToShare): Promise<void> {
    this.#underway.add(given);
    try {
      await this.#share(given);
    } finally {
      this.#underway.delete(given);
    }
  }

  /** Told of an invalidation by this process or another one. */
  forget({ kind, what }: Pick<Announced, 'kind' | 'what'>): void {
    for (const given of this.#underway) {
      const isCovered =
        kind === 'cache' || (kind === 'key' ? given.load.key === what : given.tags.includes(what));
      if (isCovered) this.#underway.delete(given);
    }
  }

  async #share(given: ValueToShare): Promise<void> {
    const { load, origin, invalidation, value, terms } = given;
    const { token } = invalidation;
    const results = this.#results;
    const budget = results.newBudget();
    await results.readTokens(load, budget); // At once: an invalidation from now on has other tokens.
    if (load.tokens === undefined) return;
    load.tokens = { ...load.tokens, key: token };
    await results.makeTokens(load, budget);
    origin.tokens = load.tokens ?? origin.tokens;
    const isStored = await this.#outbox.settled(invalidation);
    const isRenewed = invalidation.token !== token;
    if (!isStored || isRenewed || !this.#underway.has(given)) return;
    await results.write(load, { value }, terms);
  }
}
