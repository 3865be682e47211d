import { setTimeout as pause } from 'node:timers/promises';

/** Waits until a condition holds, for work of a server that the test cannot await. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  patienceMillis = 15_000,
): Promise<void> {
  const deadline = performance.now() + patienceMillis;
  while (!(await condition())) {
    if (performance.now() > deadline)
      throw new Error(`the condition does not hold after ${patienceMillis} ms: ${condition}`);
    await pause(20);
  }
}
