/**
 * One round of retries. A store that refuses is asked by few of the pending invalidations, however many there are:
 *
 * ```
 *   sample: one in each of 16 parts ──refused──▶ nothing more
 *                                   └─taken────▶ 8 more in the part, and one in each of 8 other parts ──▶ …
 * ```
 *
 * Each one that is taken has others follow, so a shard that takes writes again gets all of its invalidations in few round trips. A shard
 * that still refuses holds up none. It gets {@link TRIES} retries in each of its parts at most, and only while others are taken.
 *
 * What is refused for a reason of its own, by a part that takes others, is tried again within {@link ROUNDS} rounds, however much it is.
 *
 * The rounds go round the parts in large steps, so each shard is asked in each round, in proportion to its share of the parts that have
 * pending invalidations.
 */
import { PARTS } from './hash-slot.js';
import type { Invalidation } from './invalidation.js';

/** How many retries a round begins with. */
const SAMPLE = 16;
/** In how many rounds each invalidation of a part that takes others is tried. */
const ROUNDS = 60;
/** The most of them that are tried in one round. */
const MAX_IN_ROUND = 512;
/** How many follow one that was taken: in its part, and in others. */
const FOLLOWERS = 8;
/** How often a part that refuses is tried at most, while other parts take theirs. What it refused may be refused for its own reason. */
const TRIES = 3;
/** How many parts lie between two that are asked one after the other: the golden section of their ring, so they spread evenly. */
const STEP = 159;

/** The retries of one round. */
export class RetryRound {
  /** The invalidations of each part that were not tried in this round, the next one last. */
  readonly #byPart = new Map<number, Invalidation[]>();
  readonly #otherParts: Iterator<number>;
  readonly #partOf: (each: Invalidation) => number;
  readonly #inTurn: readonly Invalidation[];
  #first: Invalidation | undefined = undefined;
  #turn: number;

  /**
   * `failed` are to be tried, the one with the oldest attempt first. Those that the store was never asked for come before them. `turn` is
   * the {@link turn} of the round before.
   */
  constructor(
    failed: readonly Invalidation[],
    partOf: (each: Invalidation) => number,
    turn: number,
  ) {
    this.#turn = turn;
    this.#partOf = partOf;
    const wasTried = (each: Invalidation): boolean => each.wasTried;
    this.#inTurn = [...failed.filter((each) => !wasTried(each)), ...failed.filter(wasTried)];
    for (const each of [...this.#inTurn].reverse()) {
      if (each.kind === 'cache') {
        this.#first = each;
        continue;
      }
      const part = partOf(each);
      const others = this.#byPart.get(part);
      if (others === undefined) this.#byPart.set(part, [each]);
      else others.push(each);
    }
    this.#otherParts = this.#partsInTurn();
  }

  /** Where the next round begins. */
  get turn(): number {
    return this.#turn;
  }

  /** The retries that the round begins with. That of the whole cache is always one of them. `takes` tells of a part that takes others. */
  sample(takes: (part: number) => boolean): Invalidation[] {
    const sample = this.#first === undefined ? [] : [this.#first];
    sample.push(...this.#ofOtherParts(SAMPLE - sample.length));
    for (let isOver = false; !isOver; ) {
      isOver = true; // Unless some of few parts have their turn again.
      for (const part of this.#byPart.keys()) {
        const [next] = sample.length < SAMPLE ? this.#of(part, 1) : [];
        if (next === undefined) continue;
        sample.push(next);
        isOver = false;
      }
    }
    if (this.#inTurn.length <= SAMPLE * ROUNDS) return sample;
    const refusedAlone = this.#inTurn.map(this.#partOf).filter(takes);
    const more = refusedAlone.slice(SAMPLE, Math.min(refusedAlone.length / ROUNDS, MAX_IN_ROUND));
    return [...sample, ...more.flatMap((part) => this.#of(part, 1))];
  }

  /** The retries that follow one which the store has taken. */
  after(part: number): Invalidation[] {
    return [...this.#of(part, FOLLOWERS), ...this.#ofOtherParts(FOLLOWERS)];
  }

  #of(part: number, count: number): Invalidation[] {
    return this.#byPart.get(part)?.splice(-count).reverse() ?? [];
  }

  #ofOtherParts(count: number): Invalidation[] {
    const found: Invalidation[] = [];
    while (found.length < count) {
      const { value, done } = this.#otherParts.next();
      if (done === true) break;
      found.push(...this.#of(value, 1));
    }
    return found;
  }

  *#partsInTurn(): Generator<number, void> {
    for (let step = 0; step < TRIES * 2 * PARTS; step++) {
      this.#turn = (this.#turn + STEP) % (2 * PARTS);
      if (this.#byPart.has(this.#turn)) yield this.#turn;
    }
  }
}
