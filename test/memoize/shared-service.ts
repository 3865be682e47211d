import { type MemoizeOptions, memoize } from '../../src/memoize/index.js';
import {
  type SharedCacheOptions,
  type SharedStore,
  sharedCache,
} from '../../src/memoize/shared/index.js';

export type Fn = (id: string) => Promise<string>;

/** A store in memory that counts its requests. `may` decides what it accepts, as a refusal that is reported as success. */
export class MemoryStore implements SharedStore {
  readonly values = new Map<string, unknown>();
  /** The `ttl` of each write. */
  readonly lives = new Map<string, number>();
  sets = 0;
  roundTrips = 0;
  may: (name: string) => boolean = () => true;
  answers = true;
  answersWrites = true;
  /** When an answer is read. */
  arrival: () => Promise<void> = async () => {};

  async getMany(names: string[]): Promise<unknown[]> {
    await this.#trip();
    return names.map((name) => structuredClone(this.values.get(name)));
  }

  async get(name: string): Promise<unknown> {
    await this.#trip();
    return structuredClone(this.values.get(name));
  }

  async set(name: string, value: unknown, ttl = 0): Promise<boolean> {
    this.sets++;
    this.lives.set(name, ttl);
    await this.#trip(this.answersWrites);
    if (this.may(name)) this.values.set(name, structuredClone(value));
    return true;
  }

  async delete(name: string): Promise<boolean> {
    await this.#trip(this.answersWrites);
    return this.values.delete(name);
  }

  async #trip(answers = true): Promise<void> {
    this.roundTrips++;
    if (!this.answers || !answers) await new Promise(() => {});
    await this.arrival();
  }
}

export class Service implements Disposable {
  source: (id: string) => Promise<string> | string = (id) => `old ${id}`;
  loads = 0;
  readonly errors: unknown[] = [];
  readonly wheres: string[] = [];
  readonly #members: Disposable[] = [];

  member(shared: SharedCacheOptions, options: Partial<MemoizeOptions<Fn>> = {}) {
    const member = memoize<Fn>(
      async (id) => {
        this.loads++;
        return this.source(id);
      },
      {
        name: 'value',
        ttl: 60_000,
        onError: (error, where) => {
          this.errors.push(error);
          this.wheres.push(where);
        },
        shared: sharedCache(shared),
        ...options,
      },
    );
    this.#members.push(member);
    return member;
  }

  [Symbol.dispose](): void {
    for (const member of this.#members) member[Symbol.dispose]();
  }
}
