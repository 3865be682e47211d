/** Revisions tell the results of loads apart: the time at which a load began, and a random part. */

/** How far the clocks of two processes may differ, in milliseconds. */
export const CLOCK_SKEW_MILLIS = 1_000;

/** A revision that is greater than all earlier ones, as far as the clocks of the processes agree. */
export function newRevision(): string {
  return `${Date.now().toString(36).padStart(9, '0')}-${globalThis.crypto.randomUUID()}`;
}

/** When a load began, by the clock of its process, in milliseconds. Zero if the text is no revision. */
export function revisionTime(revision: string): number {
  return Number.parseInt(revision, 36) || 0;
}
