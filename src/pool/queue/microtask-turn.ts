/**
 * One run of microtasks. No timer can fire within it, so what happens in it happens at one time to all whose wait ends by
 * a timer, unless the run itself is long; then that time is its beginning. Whoever takes the time once a turn saves what
 * costs as much as the rest of a wait.
 */

const DONE: Promise<void> = Promise.resolve();

/** Knows whether the microtasks that were due at the beginning are still running. */
export class MicrotaskTurn {
  isRunning = false;
  readonly #end: () => void;

  constructor() {
    this.#end = () => this.end();
  }

  begin(): void {
    this.isRunning = true;
    void DONE.then(this.#end);
  }

  end(): void {
    this.isRunning = false;
  }
}
