/** Marks for code that is not handed a profile: a decorated method, or a function below it. */
import { aName, argumentError } from '../../core/options.js';
import { currentProfile } from './other-work.js';
import { callSite } from './recording.js';

/**
 * Ends a row of the profile that the current code runs in, as `mark` of its body does. Without one it does nothing, so the
 * call may stay in the code. It finds the profile across awaits and timers.
 *
 * Rejects with `TENURE_INVALID_ARGUMENT` for an empty label.
 *
 * @example
 * ```ts
 * import { markMemory, profileMemory } from 'tenure/profile';
 *
 * async function load(): Promise<void> {
 *   await markMemory('loaded');
 * }
 * const { report } = await profileMemory('service', load, { gc: false });
 * report.rows.map((row) => row.label); // => ['loaded', '(end)']
 * await load(); // Outside a profile: does nothing.
 * ```
 */
export function markMemory(label: string): Promise<void> {
  const error = argumentError('markMemory', 'label', label, aName);
  if (error !== undefined) return Promise.reject(error);
  const profile = currentProfile();
  return profile === undefined ? Promise.resolve() : profile.markAt(label, callSite(markMemory));
}
