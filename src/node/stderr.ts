/** Text for the people who run a process. */

let writes = 0;

function ignore(): void {}

/**
 * Prints a text on standard error, if it can. When its reader has gone or the disk is full, `process.stderr` emits an error after
 * the write, which would end the process if nobody listened. The second such error ends it even if a `Console` has printed.
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
