/** The revisions of loads, which are the tokens of invalidations too. */
import { expect, test } from 'vitest';
import { newRevision, revisionTime } from '../../src/memoize/shared/revision.js';

test('each revision is another, tells when it was made, and is a short text of letters and digits', () => {
  const began = Date.now();
  const revisions = Array.from({ length: 10_000 }, newRevision);
  const ended = Date.now();
  expect(new Set(revisions).size).toBe(revisions.length);
  for (const revision of revisions) {
    expect(revision).toMatch(/^[0-9a-z]{9}-[a-p]{32}$/);
    expect(revisionTime(revision)).toBeGreaterThanOrEqual(began);
    expect(revisionTime(revision)).toBeLessThanOrEqual(ended);
  }
});

test('a revision has 128 random bits: each of its letters takes all values', () => {
  const random = Array.from({ length: 2_000 }, () => newRevision().slice(10));
  for (let place = 0; place < 32; place++) {
    expect(new Set(random.map((text) => text[place])).size).toBe(16);
  }
});
