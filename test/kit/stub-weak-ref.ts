import { vi } from 'vitest';

/** Replaces WeakRef, until `vi.unstubAllGlobals()`, by one whose targets die when the test adds them to the result. */
export function stubWeakRef(): Set<unknown> {
  const dead = new Set<unknown>();
  vi.stubGlobal(
    'WeakRef',
    class {
      readonly #target: unknown;
      constructor(target: unknown) {
        this.#target = target;
      }
      deref(): unknown {
        return dead.has(this.#target) ? undefined : this.#target;
      }
    },
  );
  return dead;
}
