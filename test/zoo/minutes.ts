/** Programs that do the same in each minute. */
import type { Zoo } from './program.js';

export const MINUTE = 60_000;

/** Calls `work` once a minute. */
export async function eachMinute(
  zoo: Zoo,
  minutes: number,
  work: (minute: number) => unknown,
): Promise<void> {
  for (let minute = 0; minute < minutes; minute++) {
    await work(minute);
    await zoo.age(MINUTE);
  }
}

/** Calls `work` once a minute, and lets no minute pass with a report. V8 collects in one of `collectEvery`. */
export async function eachQuietMinute(
  zoo: Zoo,
  minutes: number,
  work: (minute: number) => unknown,
  collectEvery = 4,
): Promise<void> {
  await eachMinute(zoo, minutes, async (minute) => {
    await work(minute);
    await zoo.mustBeQuiet((minute + 1) % collectEvery === 0 ? { forceGc: true } : {});
  });
}
