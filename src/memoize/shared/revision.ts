/** Revisions tell the results of loads apart: the time at which a load began, and a random part. */

/** How far the clocks of two processes may differ, in milliseconds. */
export const CLOCK_SKEW_MILLIS = 1_000;

/** The letters of a random part, of 4 random bits each. */
const RANDOM_LETTERS = 32;
/** How many random parts are drawn at one time. */
const DRAWN_PARTS = 128;
const FIRST_LETTER = 97;

const drawn = /* @__PURE__ */ new Uint8Array(RANDOM_LETTERS * DRAWN_PARTS);
let next = drawn.length;

/** A revision that is greater than those of earlier milliseconds, as far as the clocks of the processes agree. */
export function newRevision(): string {
  return `${Date.now().toString(36).padStart(9, '0')}-${randomPart()}`;
}

/** When a load began, by the clock of its process, in milliseconds. Zero if the text is no revision. */
export function revisionTime(revision: string): number {
  return Number.parseInt(revision, 36) || 0;
}

/** A text of 128 random bits. It is made in one piece: V8 keeps a UUID as some twenty pieces, of a kilobyte in total. */
function randomPart(): string {
  if (next === drawn.length) {
    globalThis.crypto.getRandomValues(drawn);
    for (let at = 0; at < drawn.length; at++)
      drawn[at] = FIRST_LETTER + ((drawn[at] as number) & 15);
    next = 0;
  }
  const from = next;
  next += RANDOM_LETTERS;
  return String.fromCharCode.apply(null, drawn.subarray(from, next) as unknown as number[]);
}
