/** The messages of the bus that count as lost. */
import { expect, test } from 'vitest';
import { MissedMessages } from '../../src/integrations/redis/missed-messages.js';

test('a sender whose first message never comes has its messages counted as lost, and no number is kept for ever', () => {
  const missed = new MissedMessages();
  let losses = 0;
  for (let number = 2; number <= 100_001; number++) {
    if (missed.note('forged', number, false)) losses++;
  }
  expect(losses).toBe(1); // The messages after those that were counted as lost come in order.
  for (let number = 0; number < 100_000; number++) {
    if (missed.note('forged', 200_000 + 2 * number, false)) losses++;
  }
  expect(losses).toBeGreaterThanOrEqual(90);
});

test('1,000 messages that come in the reverse order are not lost', () => {
  const missed = new MissedMessages();
  const losses = Array.from({ length: 1_000 }, (_, at) => missed.note('a', 1_000 - at, false));
  expect(losses).not.toContain(true);
  expect([missed.note('a', 1_000, true), missed.note('a', 1_000, true)]).toEqual([false, false]);
});
