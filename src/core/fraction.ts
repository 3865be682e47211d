/** Random fractions from a source that the user gave. */
import { guardedCall } from './guarded-call.js';

/** A number from 0 to less than 1 from `random`; from the platform if `random` throws or gives anything else. */
export function fractionFrom(random: () => number): number {
  const fraction = guardedCall('the option `random`', random);
  return typeof fraction === 'number' && fraction >= 0 && fraction < 1 ? fraction : Math.random();
}
