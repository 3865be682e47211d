import { type LeakReport, Watchdog, type WatchdogOptions } from '../../src/watchdog/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { MinimalPool } from './minimal-pool.js';

/** A pool of one resource, a watchdog that watches it at level `advanced` on a fake clock, and the reports that it tells. */
export function watchedPool(options: WatchdogOptions = {}) {
  const clock = new FakeClock();
  const watchdog = new Watchdog({ level: 'advanced', clock, ...options });
  const pool = new MinimalPool('db');
  pool.addResource();
  const watch = watchdog.watch(pool);
  const leaks: LeakReport[] = [];
  const retracted: LeakReport[] = [];
  watchdog.on('leak', (report) => leaks.push(report));
  watchdog.on('retracted', (report) => retracted.push(report));
  return {
    clock,
    watchdog,
    pool,
    watch,
    leaks,
    retracted,
    [Symbol.dispose]: () => watchdog[Symbol.dispose](),
  };
}
