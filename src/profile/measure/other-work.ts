/**
 * Counts the callbacks of other work in the process while a profile runs. What other work allocates would be charged to the
 * profile, so a row during which other work ran says so.
 *
 * A profile runs in an async context of its own. Node tells of each callback before it runs, and a callback outside that
 * context is other work. Counting allocates nothing, so it does not disturb the measurement. A host without `async_hooks`
 * tells of no callbacks; then only other profiles are seen.
 */
import { type AsyncVariable, createAsyncVariable } from '../../core/async-context.js';
import { builtinModule } from '../../core/host.js';
import type { MarkedProfile } from './memory-profile.js';

interface AsyncHooks {
  createHook?(callbacks: { before(): void }): { enable(): unknown; disable(): unknown };
}

const current: AsyncVariable<OtherWork> = /* @__PURE__ */ createAsyncVariable<OtherWork>();

/** How many profiles run in this process. */
let running = 0;

/** Gives the profile that the current code runs in; `undefined` if there is none. */
export function currentProfile(): MarkedProfile | undefined {
  return current.get()?.profile;
}

/** The count of one profile. */
export class OtherWork {
  /** The profile, while its body runs. */
  profile: MarkedProfile | undefined = undefined;
  #callbacks = 0;
  #hasEnded = false;
  readonly #hook: { disable(): unknown } | undefined;

  /** Begins to count. */
  constructor() {
    running++;
    const hook = builtinModule<AsyncHooks>('async_hooks')?.createHook?.({
      before: () => {
        if (current.get() !== this) this.#callbacks++;
      },
    });
    hook?.enable();
    this.#hook = hook;
  }

  /** Whether other work was seen, since the last call; and whether another profile runs now. */
  takeOverlap(): boolean {
    const overlaps = this.#callbacks > 0 || running > 1;
    this.#callbacks = 0;
    return overlaps;
  }

  /** Calls `body` as the profile's own work, across its awaits and timers. */
  run<R>(body: () => R): R {
    return current.run(this, body);
  }

  /** Stops counting. */
  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    running--;
    this.#hook?.disable();
  }
}
