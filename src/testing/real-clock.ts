/**
 * The platform's clock as it is when this module loads. A test may replace the global timers by fake ones, and a leak must be
 * judged in real time all the same.
 */
import { type Clock, clockOf, type PlatformHandle } from '../core/clock.js';
import { builtinModule } from '../core/host.js';

interface Timers {
  setTimeout(callback: () => void, delayMillis: number): PlatformHandle;
  clearTimeout(handle: number): void;
}

// Jest runs tests in a realm of its own, whose globals may be fake from the start. The module's timers are not.
const { setTimeout, clearTimeout } = builtinModule<Timers>('timers') ?? (globalThis as Timers);
const time =
  builtinModule<{ readonly performance: typeof performance }>('perf_hooks')?.performance ??
  performance;

/** The real clock. */
export const realClock: Clock = clockOf({ now: time.now.bind(time), setTimeout, clearTimeout });
