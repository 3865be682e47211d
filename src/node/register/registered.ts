/** Starts the watch over this process or worker as soon as it is imported. */
import { type Registered, register } from './registration.js';

const registration: Registered | undefined = register();

/**
 * Gives what is watched in this process or worker: the watchdog, the copies of packages, and those that are left alone.
 * `undefined` if the environment variable `TENURE` is `off`.
 *
 * @example
 * ```js
 * import { registered } from 'tenure/register';
 *
 * registered()?.patched.map(({ package: name, version }) => `${name} ${version}`);
 * ```
 */
export function registered(): Registered | undefined {
  return registration;
}
