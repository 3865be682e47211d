import { setImmediate } from 'node:timers/promises';

/** Resolves when all promise jobs have run that need no timer, no I/O and no gate. */
export async function settle(): Promise<void> {
  await setImmediate();
}
