/** How long the calls of one method of the factory usually take: as long as the last one that succeeded. */

/** No call is slow before this many milliseconds. */
const SLOW_MILLIS = 100;

/** A call is slow when it takes this many times as long as usual. */
const SLOW_FACTOR = 4;

/** The usual time of one method. */
export class UsualTime {
  /** How long the last call took that succeeded, in milliseconds; `Infinity` while that is not known. */
  lastMillis: number;

  constructor(lastMillis: number) {
    this.lastMillis = lastMillis;
  }

  /** How long a call may take before it is slow, in milliseconds; `Infinity` while that is not known. */
  get slowAfterMillis(): number {
    return Math.max(SLOW_MILLIS, SLOW_FACTOR * this.lastMillis);
  }
}
