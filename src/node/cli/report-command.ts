/** `tenure report`: leaks that a watchdog has written as JSON, for a person. */
import { formatReport } from '../../watchdog/format-report.js';
import type { LeakReport } from '../../watchdog/leak-report.js';
import {
  type Command,
  EXIT,
  integerOption,
  onlyFile,
  readArguments,
  readText,
  UsageError,
} from './command.js';

export const reportCommand: Command = {
  usage: 'report FILE [--lines N] [--json]',
  summary: "Prints a watchdog's leaks from its JSON report.",
  help: `  FILE        JSON: the leaks of watchdog.check(), or an object with them under "leaks"
  --lines N   prints at most N lines (default 25)

The exit code is 1 if there are leaks.`,
  run(args, terminal) {
    const { values, files } = readArguments(args, { lines: { type: 'string' } });
    const file = onlyFile(files, 'a JSON report: tenure report leaks.json');
    const maxLines = integerOption('lines', values.lines ?? '25', 1);
    const leaks = leaksIn(file, readText(file, terminal));
    if (values.json === true) terminal.print(JSON.stringify({ file, leaks }));
    else terminal.print(formatReport(leaks, { maxLines, colour: terminal.colour }));
    return leaks.length === 0 ? EXIT.fine : EXIT.found;
  },
};

function leaksIn(file: string, text: string): LeakReport[] {
  let report: unknown;
  try {
    report = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${file} is no JSON: ${(error as Error).message}`);
  }
  const leaks = Array.isArray(report) ? report : (report as { leaks?: unknown } | null)?.leaks;
  if (Array.isArray(leaks) && leaks.every(isLeak)) return leaks;
  throw new UsageError(
    `${file} is no report of a watchdog. Write one with JSON.stringify(await watchdog.check()).`,
  );
}

/** Whether a value has the parts of a leak that are printed. */
function isLeak(value: unknown): value is LeakReport {
  const leak = value as Partial<LeakReport> | null;
  return (
    typeof leak?.rule === 'string' &&
    typeof leak.certainty === 'string' &&
    typeof leak.component?.kind === 'string' &&
    typeof leak.component.name === 'string' &&
    [leak.count, leak.ageMillis, leak.firstSeenMillis, leak.lastSeenMillis].every(
      Number.isFinite,
    ) &&
    typeof leak.unlisted?.scopes === 'number' &&
    typeof leak.signature === 'string' &&
    typeof leak.fix === 'string' &&
    typeof leak.evidence?.v8 === 'string' &&
    [leak.stack, leak.sites, leak.scopes].every(Array.isArray)
  );
}
