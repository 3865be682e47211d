/** The end of a connection. */

/** How long a connection may take to end before it is cut, in milliseconds. */
const END_TIMEOUT_MILLIS = 1_000;

/** Ends a connection, and cuts it when it has ended, failed to end, or has not ended in time. */
export async function endOrCut(end: () => unknown, cut: () => void): Promise<void> {
  const timer = setTimeout(cut, END_TIMEOUT_MILLIS);
  try {
    await end();
  } finally {
    clearTimeout(timer);
    cut();
  }
}
