/** One creation under way. */

/** For whom a creation was begun; it is told when the creation fails. */
export interface Client {
  creation: Creation | null;
}

/** One creation under way. It is bound to the caller who caused it, or to nobody when it fills up `min`. */
export class Creation<C extends Client = Client> {
  client: C | null;
  /** How often everything had been invalidated when it began. */
  readonly invalidations: number;
  readonly controller: AbortController = new AbortController();
  /** Settles when the creation has ended one way or another. */
  readonly ended: Promise<void>;
  end!: () => void;

  constructor(client: C | null, invalidations: number) {
    this.client = client;
    this.invalidations = invalidations;
    this.ended = new Promise((resolve) => {
      this.end = resolve;
    });
  }
}
