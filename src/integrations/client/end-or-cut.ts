/** The end of a connection. */
import { systemClock } from '../../core/clock.js';
import { settledBefore } from '../../core/settled-before.js';

/** How long a connection may take to end before it is cut, in milliseconds. */
const END_TIMEOUT_MILLIS = 1_000;

/**
 * Ends a connection, and cuts it when it has ended, failed to end, or has not ended in time. Nothing waits for its end any longer then: a
 * driver may wait for the answer to a statement, which cannot come any more.
 */
export async function endOrCut(end: () => unknown, cut: () => void): Promise<void> {
  const ended = (async () => {
    await end();
  })();
  try {
    await settledBefore(systemClock, END_TIMEOUT_MILLIS, ended, (resolve) => resolve());
  } finally {
    cut();
  }
}
