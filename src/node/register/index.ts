/**
 * `node --import tenure/register app.js` finds the leaking line of an application that knows nothing of tenure.
 *
 * It watches the pools of generic-pool, pg, mysql2, tarn (knex), sequelize-pool (Sequelize) and tenure, and makes each HTTP request a
 * scope. Leaks are printed while the process runs, and in a report at its end. See the guide *register*.
 *
 * @example
 * ```js
 * import { registered } from 'tenure/register';
 *
 * const seen = registered(); // `undefined` if TENURE=off.
 * seen?.watchdog.stats().lost; // => 0
 * ```
 *
 * @module
 */
export type { PatchedPackage } from '../foreign-pools/peer-packages.js';
export { registered } from './registered.js';
export type { Registered } from './registration.js';
