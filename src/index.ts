/**
 * Own what you allocate: pools, caches, context managers, weak references, a simulated garbage collector, and a watchdog that
 * names the line of a leak. Each module has a subpath of its own. This one has all of them, except the integrations, and those
 * that need Node or a test runner: `tenure/node`, `tenure/profile/v8`, `tenure/register` and `tenure/testing`.
 *
 * @example
 * ```ts
 * import { createPool, Watchdog } from 'tenure';
 *
 * using watchdog = new Watchdog();
 * await using pool = createPool({ create: () => ({}), destroy: () => {} });
 * watchdog.watch(pool);
 * await pool.use(() => 'done'); // => 'done'
 * await watchdog.assertNoLeaks();
 * ```
 *
 * @module
 */
export * from './gc/index.js';
export * from './memoize/adaptive/index.js';
export * from './memoize/batch/index.js';
export * from './memoize/disposal/index.js';
export * from './memoize/dump/index.js';
export * from './memoize/index.js';
export * from './memoize/s3-fifo/index.js';
export * from './memoize/shared/index.js';
export * from './pool/index.js';
export * from './profile/index.js';
export * from './scope/index.js';
export * from './view/index.js';
export * from './watchdog/index.js';
export * from './weak/index.js';
