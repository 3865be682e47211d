/**
 * What a late timer shows: the event loop was blocked, or the process was stopped. Then timers fire before the answers that have arrived
 * meanwhile are read, and nothing could end in time. So a time limit that is late by a stall gives the work a grace before it counts.
 */

/** A timer that fires this much too late shows a stall, in milliseconds. */
export const STALL_MILLIS = 50;

/** The longest grace, in milliseconds: the work may need several more answers. */
const LONGEST_GRACE_MILLIS = 1_000;

/**
 * Gives the grace after a timer that was `lateMillis` late, in milliseconds: as much time as was lost for certain, up to a second. A grace
 * is at most `limitMillis`, the time that the work has in all. 0 if there was no stall.
 */
export function graceAfter(lateMillis: number, limitMillis: number): number {
  return lateMillis > STALL_MILLIS ? Math.min(lateMillis, limitMillis, LONGEST_GRACE_MILLIS) : 0;
}
