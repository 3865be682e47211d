/**
 * Registers objects with V8, to be told of their deaths, in FinalizationRegistries of a bounded size: *shards*.
 *
 * V8 empties one registry in one task. A single registry whose million targets die together stops the process for more than a
 * second, even if its callback does nothing. With shards, V8 runs one task for each, one a turn of the event loop, and other
 * work runs in between. Small shards also keep the table of tokens small: registering, and the collection itself, take less
 * time. Too small shards make a death wait for many turns behind others.
 *
 * | 1,000,000 targets | longest turn |
 * |---|---:|
 * | one registry | 1,067 ms |
 * | shards of 1,024 | 32 ms |
 *
 * Measured on Node 20 with 2 cores, which other processes kept busy; `bench/weak` measures it again.
 */
import { runInSlice } from './slices.js';

/** How many live registrations a shard takes. */
const SHARD_SIZE = 1_024;

/** Registrations of one owner. `H` is what its callback is told of a death. */
export class DeathRegistry<H> {
  readonly #onDeath: (held: H) => void;
  /** The shards with live registrations. V8 drops a registry that is not reachable, and never calls it. */
  readonly #shards = new Set<DeathShard<H>>();
  #current: DeathShard<H> | undefined = undefined;

  /** `onDeath` is called some turns after a target has died, with what was held for it. It must not throw. */
  constructor(onDeath: (held: H) => void) {
    this.#onDeath = onDeath;
  }

  /** Registers `target`. `token` is an object by which the result can unregister it. O(1). */
  register(target: WeakKey, held: H, token?: WeakKey): DeathShard<H> {
    let shard = this.#current;
    if (shard === undefined || shard.live >= SHARD_SIZE) {
      shard = new DeathShard(this.#onDeath, this.#shards);
      this.#current = shard;
    }
    if (shard.live === 0) this.#shards.add(shard);
    shard.register(target, held, token);
    return shard;
  }
}

/** One FinalizationRegistry, with a count of its live registrations. */
export class DeathShard<H> {
  readonly #registry: FinalizationRegistry<H>;
  readonly #shards: Set<DeathShard<H>>;
  #live = 0;

  /** @internal */
  constructor(onDeath: (held: H) => void, shards: Set<DeathShard<H>>) {
    this.#shards = shards;
    this.#registry = new FinalizationRegistry((held) => {
      this.#removeOne();
      runInSlice(onDeath, held);
    });
  }

  /** How many registered targets live. */
  get live(): number {
    return this.#live;
  }

  /** @internal */
  register(target: WeakKey, held: H, token: WeakKey | undefined): void {
    this.#registry.register(target, held, token);
    this.#live++;
  }

  /** Cancels the registration with this token. Without effect if V8 has reported the death. O(1). */
  unregister(token: WeakKey): void {
    if (this.#registry.unregister(token)) this.#removeOne();
  }

  #removeOne(): void {
    if (--this.#live === 0) this.#shards.delete(this);
  }
}
