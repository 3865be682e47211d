/** The error of a test that leaks, and the note for a test that fails and leaks. */
import { workingDirectory } from '../core/host.js';
import { formatReport } from '../watchdog/format-report.js';
import type { LeakReport } from '../watchdog/leak-report.js';
import { LeaksFoundError } from '../watchdog/watchdog-errors.js';

/**
 * Makes the error of a test that leaks. Its stack is that of the line that took the first loan, so the runner shows that line and
 * not one of this package.
 */
export function leakError(leaks: readonly LeakReport[]): LeaksFoundError {
  const error = new LeaksFoundError(leaks);
  const frames = (leaks[0]?.stack ?? []).map(({ functionName, file, line, column }) => {
    const position = `${absolute(file)}:${line}:${column}`;
    return `    at ${functionName === '' ? position : `${functionName} (${position})`}`;
  });
  if (frames.length > 0) {
    error.stack = [`${error.name}: ${error.message}`, ...frames].join('\n');
  }
  return error;
}

/** Gives the note for a test that has failed and has left loans out. The failure may be the reason for them. */
export function leakNote(name: string, leaks: readonly LeakReport[]): string {
  return `The failed test "${name}" has left loans out, perhaps since it failed:\n${formatReport(leaks)}`;
}

function absolute(file: string): string {
  const here = workingDirectory();
  return here === undefined || file.startsWith('/') || file.includes(':')
    ? file
    : `${here}/${file}`;
}
