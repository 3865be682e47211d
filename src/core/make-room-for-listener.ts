/**
 * Room for a listener of ours on an emitter of the application. Node warns of a leak when an event has more than ten listeners, and the
 * application may have ten.
 */

/** The part of an emitter that is used. `EventEmitter` of Node has it; another make may lack it. */
interface LimitedEmitter {
  getMaxListeners?(): number;
  setMaxListeners?(max: number): unknown;
}

/** Raises the number of listeners from which on Node warns by the one that the caller adds. O(1). */
export function makeRoomForListener(emitter: object): void {
  const limited = emitter as LimitedEmitter;
  const max = limited.getMaxListeners?.() ?? 0;
  if (max > 0) limited.setMaxListeners?.(max + 1); // 0 stands for no limit.
}
