/**
 * A health check: one read in each part of a store, to find out which parts answer. It begins when a request has waited for half of
 * its time, and is over when that request gives up. An answer after that does not count.
 */
import type { SharedStore } from '../shared-store.js';

/** The most reads of one health check. */
const MAX_READS = 1_000;

/** One read of a health check. */
interface HealthCheckRead {
  readonly name: string;
  /** Until when its answer counts, in milliseconds of the time of the store's access. */
  readonly deadline: number;
  isAnswered: boolean;
}

/** The reads of one health check. */
export class StoreHealthCheck {
  readonly #store: SharedStore;
  readonly #deadline: number;
  readonly #reads = new Map<number, HealthCheckRead>();

  constructor(store: SharedStore, deadline: number) {
    this.#store = store;
    this.#deadline = deadline;
  }

  isOver(now: number): boolean {
    return now >= this.#deadline;
  }

  /** Reads these names, which are given by their slots. A refusal is an answer too. Gives how many reads were sent. */
  read(names: ReadonlyMap<number, string>, deadline: number): number {
    const before = this.#reads.size;
    for (const [slot, name] of names) {
      if (this.#reads.has(slot) || this.#reads.size >= MAX_READS) continue;
      const read: HealthCheckRead = { name, deadline, isAnswered: false };
      this.#reads.set(slot, read);
      const answered = (): void => {
        read.isAnswered = true;
      };
      void this.#get(name).then(answered, answered);
    }
    return this.#reads.size - before;
  }

  /** The slots that have answered, and the names that have not although their time is over. */
  resultAt(now: number): { readonly answered: number[]; readonly silent: string[] } {
    const [answered, silent]: [number[], string[]] = [[], []];
    for (const [slot, { name, isAnswered, deadline }] of this.#reads) {
      if (isAnswered) answered.push(slot);
      else if (now >= deadline) silent.push(name);
    }
    return { answered, silent };
  }

  async #get(name: string): Promise<unknown> {
    return this.#store.get(name);
  }
}
