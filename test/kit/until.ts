import { setTimeout as pause } from 'node:timers/promises';

/** Waits until something is so; for what a server does in its own time. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  patienceMillis = 15_000,
): Promise<void> {
  const deadline = performance.now() + patienceMillis;
  while (!(await condition())) {
    if (performance.now() > deadline)
      throw new Error(`not so after ${patienceMillis} ms: ${condition}`);
    await pause(20);
  }
}
