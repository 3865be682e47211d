/**
 * The adaptive eviction policy.
 *
 * @module
 */
export { adaptive } from './adaptive.js';
