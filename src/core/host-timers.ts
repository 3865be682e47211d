/**
 * Node's own timers rather than the global ones, taken when the module loads. A test environment replaces the global ones and clears
 * them after each test; work of ours must not end with them.
 */
import { builtinModule } from './host.js';

const { setTimeout } = builtinModule<Pick<typeof globalThis, 'setTimeout'>>('timers') ?? globalThis;

/** The host's `setTimeout`. */
export const hostSetTimeout: typeof globalThis.setTimeout = setTimeout;

/** Resolves in the next turn of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    hostSetTimeout(resolve, 0);
  });
}
