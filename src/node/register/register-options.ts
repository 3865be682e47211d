/**
 * The options of `tenure/register`: from the environment variable `TENURE`, which wins, and from the key `register` of
 * `tenure.config.json` in the folder that the process was started in. A service must start whatever they say, so a wrong one is
 * told of and left out.
 *
 * ```
 *   TENURE=level=advanced,leaks=log,patch=pg,mysql2,graceMillis=500
 * ```
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { workingDirectory } from '../../core/host.js';
import {
  aName,
  type OptionCheck,
  type OptionTable,
  oneOf,
  option,
  optional,
} from '../../core/options.js';
import { LEVELS, type WatchLevel } from '../../watchdog/level.js';
import type { PeerName } from '../foreign-pools/peer-package.js';
import { PEER_NAMES } from '../foreign-pools/peer-packages.js';
import { somePackages } from '../foreign-pools/watch-foreign-pools.js';

/** Options of `tenure/register`. */
export interface RegisterOptions {
  /** How much is recorded of each loan; `off` switches everything off. @default 'advanced' */
  readonly level: WatchLevel;
  /**
   * How leaks are told: `stderr` prints them for people, `log` as one line of JSON each. `exit` is `stderr`, and the process
   * ends with the code 1 instead of 0 if there are leaks.
   *
   * @default 'stderr'
   */
  readonly leaks: 'stderr' | 'log' | 'exit';
  /**
   * Which HTTP requests are scopes: `http` has a sample of them in a busy service, as {@link RequestSample} chooses it, `all` each
   * request, and `none` no request.
   *
   * @default 'http'
   */
  readonly scope: 'http' | 'all' | 'none';
  /** The packages whose pools are watched. @default all */
  readonly patch: readonly PeerName[];
  /** How long a loan may stay out after its request before its loss is told, in milliseconds. @default 1_000 */
  readonly graceMillis: number;
  /** A file that gets the leaks as JSON, at the end of the process and with each report that is asked for. @default none */
  readonly json: string | undefined;
  /** The signal that asks for a report; `none` for no signal. @default 'SIGUSR2' */
  readonly signal: string;
}

const aSignal: OptionCheck = (value) =>
  value === 'none' || (typeof value === 'string' && /^SIG[A-Z\d]+$/.test(value))
    ? undefined
    : "the name of a signal, such as 'SIGUSR2', or 'none'";

const someMillis: OptionCheck = (value) =>
  typeof value === 'number' && value >= 0 && Number.isFinite(value)
    ? undefined
    : 'a number of milliseconds ≥ 0';

const OPTIONS: OptionTable<RegisterOptions> = {
  level: option(oneOf('off', ...Object.keys(LEVELS)), 'advanced'),
  leaks: option(oneOf('stderr', 'log', 'exit'), 'stderr'),
  scope: option(oneOf('http', 'all', 'none'), 'http'),
  patch: option(somePackages, PEER_NAMES),
  graceMillis: option(someMillis, 1_000),
  json: optional(aName),
  signal: option(aSignal, 'SIGUSR2'),
};

const CONFIG_FILE = 'tenure.config.json';

/** The folder that the process was started in. The application may change it before the options are read. */
const START_FOLDER = workingDirectory() ?? '.';

/** Options, and what is wrong with those that were given. */
export interface ReadOptions {
  readonly options: RegisterOptions;
  /** One sentence for each option that was left out. */
  readonly problems: readonly string[];
}

/** Whether the environment switches everything off: `TENURE=off`. */
export function isSwitchedOff(): boolean {
  return process.env['TENURE'] === 'off';
}

/** Reads the options. Never throws. */
export function readRegisterOptions(): ReadOptions {
  const problems: string[] = [];
  const addProblem = (problem: string): void => {
    problems.push(problem);
  };
  const given = {
    ...checked(CONFIG_FILE, fileOptions(addProblem), addProblem),
    ...checked('TENURE', parsedVariable(process.env['TENURE'] ?? '', addProblem), addProblem),
  };
  const options: Record<string, unknown> = {};
  for (const [name, { fallback }] of Object.entries(OPTIONS)) {
    options[name] = name in given ? given[name] : fallback;
  }
  if (typeof options['json'] === 'string') options['json'] = resolve(START_FOLDER, options['json']);
  return { options: options as unknown as RegisterOptions, problems };
}

type AddProblem = (problem: string) => void;
type Given = Record<string, unknown>;

/** Gives the options that are known and well formed. */
function checked(where: string, given: Given, addProblem: AddProblem): Given {
  const good: Given = {};
  for (const [name, value] of Object.entries(given)) {
    const row = Object.hasOwn(OPTIONS, name) ? OPTIONS[name as keyof RegisterOptions] : undefined;
    if (row === undefined) {
      addProblem(`${where}: unknown option "${name}". Known: ${Object.keys(OPTIONS).join(', ')}.`);
      continue;
    }
    const wanted = name === 'patch' ? packagesOf(value) : value;
    const expected = row.check(wanted);
    if (expected === undefined) good[name] = wanted;
    else addProblem(`${where}: "${name}" must be ${expected}, got ${JSON.stringify(value)}.`);
  }
  return good;
}

/** Gives the names of packages: `all` and `none` are words for lists. */
function packagesOf(value: unknown): unknown {
  const names = Array.isArray(value) ? value : [value];
  if (names.length !== 1) return names;
  return names[0] === 'all' ? PEER_NAMES : names[0] === 'none' ? [] : names;
}

/** Parses `name=value,name=value`. A part without `=` is one more value of the option before it. */
function parsedVariable(text: string, addProblem: AddProblem): Given {
  const given: Given = {};
  let last: string | undefined;
  for (const part of text.split(',').map((each) => each.trim())) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    if (equals > 0) {
      last = part.slice(0, equals).trim();
      given[last] = textOrNumber(last, part.slice(equals + 1).trim());
    } else if (last === 'patch') given[last] = [given[last] ?? [], part].flat();
    else addProblem(`TENURE: "${part}" is no option. Write name=value, as in level=advanced.`);
  }
  return given;
}

function textOrNumber(name: string, text: string): unknown {
  return name === 'graceMillis' && /^\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

function fileOptions(addProblem: AddProblem): Given {
  let text: string;
  try {
    text = readFileSync(join(START_FOLDER, CONFIG_FILE), 'utf8').replace(/^\uFEFF/, ''); // Of an editor on Windows.
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      addProblem(`${CONFIG_FILE} cannot be read: ${(error as Error).message}.`);
    }
    return {};
  }
  try {
    const { register = {}, ...others } = JSON.parse(text) as Given;
    for (const name of Object.keys(others)) {
      addProblem(`${CONFIG_FILE}: unknown key "${name}". Options belong under "register".`);
    }
    if (typeof register === 'object' && register !== null && !Array.isArray(register)) {
      return register as Given;
    }
    addProblem(`${CONFIG_FILE}: "register" must be an object.`);
  } catch (error) {
    addProblem(`${CONFIG_FILE} is no JSON: ${(error as Error).message}.`);
  }
  return {};
}
