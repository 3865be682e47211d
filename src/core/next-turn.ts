/** A turn of the event loop. */
import { builtinModule } from './host.js';

/** Taken when the module loads: the fake timers of a test would stop a collection. */
const { setTimeout } = builtinModule<Pick<typeof globalThis, 'setTimeout'>>('timers') ?? globalThis;

/** Resolves in the next turn of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 0);
  });
}
