import { setImmediate } from 'node:timers/promises';

/** Resolves when all promise jobs that can run without a timer, I/O or a gate have run. */
export async function settle(): Promise<void> {
  await setImmediate();
}
