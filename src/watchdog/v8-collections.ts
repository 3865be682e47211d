/**
 * Sees V8's full collections: an object that nothing holds dies in the next one, and V8 reports its death some turns later. By
 * then V8 has reported, or will soon report, the deaths of all others that died with it.
 */
export class V8Collections {
  readonly #now: () => number;
  readonly #deaths: FinalizationRegistry<undefined> | undefined;
  #isClosed = false;
  /** How many full collections were seen. Some come so close together that they count as one. */
  count = 0;
  /** When the last one was seen, in milliseconds. */
  lastAt: number = Number.NEGATIVE_INFINITY;

  /** `isWatching` says whether V8 is asked at all. `seen` is called for each full collection that V8 tells of. */
  constructor(now: () => number, isWatching: boolean, seen: () => void) {
    this.#now = now;
    if (!isWatching) return;
    this.#deaths = new FinalizationRegistry(() => {
      this.noteOne();
      seen();
      this.#registerNext();
    });
    this.#registerNext();
  }

  /** Counts a full collection. */
  noteOne(): void {
    this.count++;
    this.lastAt = this.#now();
  }

  /** Looks no more. */
  close(): void {
    this.#isClosed = true;
  }

  /** Registers an object that nothing holds: it dies in the next full collection. */
  #registerNext(): void {
    if (!this.#isClosed) this.#deaths?.register({}, undefined);
  }
}
