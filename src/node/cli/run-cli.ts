/** Runs a command line of `tenure`. */
import { censusCommand } from './census-command.js';
import { type Command, EXIT, type ExitCode, type Terminal, UsageError } from './command.js';
import { doctorCommand, ownManifest } from './doctor-command.js';
import { plotCommand } from './plot-command.js';
import { reportCommand } from './report-command.js';
import { topCommand } from './top-command.js';

const COMMANDS: Readonly<Record<string, Command>> = {
  census: censusCommand,
  plot: plotCommand,
  report: reportCommand,
  doctor: doctorCommand,
  top: topCommand,
};

/** Runs `tenure` with arguments, and gives its exit code. */
export async function runCli(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const [name, ...rest] = args;
  if (name === undefined) {
    terminal.warn(overview());
    return EXIT.failed;
  }
  if (name === '--version' || name === '-v') {
    terminal.print(ownManifest().version ?? '');
    return EXIT.fine;
  }
  const isHelp = name === '--help' || name === '-h' || name === 'help';
  const asked = isHelp ? rest[0] : name;
  if (asked === undefined) {
    terminal.print(overview());
    return EXIT.fine;
  }
  const command = commandOf(asked);
  if (command === undefined) {
    terminal.warn(`tenure: there is no command ${asked}.\n\n${overview()}`);
    return EXIT.failed;
  }
  if (isHelp || rest.includes('--help') || rest.includes('-h')) {
    terminal.print(helpOf(command));
    return EXIT.fine;
  }
  try {
    return await command.run(rest, terminal);
  } catch (error) {
    terminal.warn(`tenure ${name}: ${(error as Error).message}`);
    if (error instanceof UsageError) terminal.warn(`usage: tenure ${command.usage}`);
    return EXIT.failed;
  }
}

function commandOf(name: string): Command | undefined {
  return Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
}

function overview(): string {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  return [
    'usage: tenure COMMAND [options]',
    '',
    ...Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    'tenure COMMAND --help explains a command. Each has --json for programs. tenure --version prints the version.',
    'Exit codes: 0 fine, 1 leaks or problems found, 2 wrong usage, an unreadable file or a full disk.',
    'NO_COLOR turns colours off, FORCE_COLOR turns them on, FORCE_COLOR=0 off.',
  ].join('\n');
}

function helpOf({ usage, summary, help }: Command): string {
  return `usage: tenure ${usage}\n\n${summary}\n\n${help}`;
}
