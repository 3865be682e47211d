/** What a command of the command line is, and what it may use. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type ParseArgsConfig, parseArgs } from 'node:util';

/** Where a command prints, and what it finds around it. */
export interface Terminal {
  /** Prints a result. */
  print(text: string): void;
  /** Prints what is no result: progress, advice, mistakes. */
  warn(text: string): void;
  /** Folder that relative paths begin at. */
  readonly folder: string;
  /** Whether results may have colours. */
  readonly colour: boolean;
}

/** Exit codes of `tenure`. */
export const EXIT = {
  /** The command has done its work, and found nothing wrong. */
  fine: 0,
  /** The command has done its work, and found leaks or problems. */
  found: 1,
  /** The command cannot do its work: wrong usage, or a file that cannot be read. */
  failed: 2,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export interface Command {
  /** What follows the name, as `census FILE [--since FILE]`. */
  readonly usage: string;
  /** One sentence for the list of commands. */
  readonly summary: string;
  /** Help below the usage. */
  readonly help: string;
  run(args: readonly string[], terminal: Terminal): ExitCode | Promise<ExitCode>;
}

/** A command line that does not fit the command; its message says how. */
export class UsageError extends Error {}

type Options = NonNullable<ParseArgsConfig['options']>;

/** Reads options and the names of files. `--json` is an option of every command. */
export function readArguments<O extends Options>(
  args: readonly string[],
  options: O,
): {
  values: ReturnType<typeof parseArgs<{ options: O & { json: { type: 'boolean' } } }>>['values'];
  files: string[];
} {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { ...options, json: { type: 'boolean' as const } },
      allowPositionals: true,
      strict: true,
    });
    return { values, files: positionals };
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** Gives the only file that was named. */
export function onlyFile(files: readonly string[], what: string): string {
  const [file, second] = files;
  if (file === undefined) throw new UsageError(`Name ${what}.`);
  if (second !== undefined) throw new UsageError(`Name one file only; \`${second}\` is too much.`);
  return file;
}

/** Gives the text of a file that was named, without a byte order mark. */
export function readText(file: string, { folder }: Terminal): string {
  try {
    return readFileSync(resolve(folder, file), 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    throw new Error(`${file} cannot be read: ${(error as Error).message}.`);
  }
}

/** Gives an option as an integer from `least`. */
export function integerOption(name: string, text: string, least: number): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new UsageError(`--${name} must be an integer ≥ ${least}, got ${text}.`);
}
