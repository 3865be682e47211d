/** Text for the people who run a process. */

let writes = 0;

function ignore(): void {}

/**
 * Prints a text on standard error, if it can. When the reader of the stream has gone or the disk is full, `process.stderr` emits an
 * `'error'` after the write, and without a listener the process ends. So one is added until the write is over. `console.error` survives
 * only the first such error.
 */
export function printOnStderr(text: string): void {
  const { stderr } = process;
  if (writes++ === 0) stderr.on('error', ignore);
  stderr.write(`${text}\n`, () => {
    setImmediate(() => {
      if (--writes === 0) stderr.off('error', ignore);
    });
  });
}
