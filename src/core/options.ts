/**
 * Checks of options and arguments. An unknown or malformed option throws at construction, with its name and what was
 * expected. Without this, a mistake would show only when a service is under load.
 */
import { InvalidArgumentError } from './errors.js';

/** Checks one value. Gives what was expected if the value is wrong, otherwise `undefined`. */
export type OptionCheck = (value: unknown) => string | undefined;

/** One check per known option. */
export type OptionChecks<O> = { readonly [K in keyof Required<O>]: OptionCheck };

/**
 * Gives a copy of `options` with the options that are present. `undefined` means that an option is absent. Each option is read
 * once, own or inherited, so a getter cannot pass the check and then give another value.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an option that is unknown or malformed.
 */
export function checkOptions<O extends object>(
  where: string,
  options: unknown,
  checks: OptionChecks<O>,
): O {
  return readOptions(where, options, checks, (check: OptionCheck) => check) as O;
}

/** One option: its check, and the value that it has if it is absent. */
export interface OptionRow<V> {
  readonly check: OptionCheck;
  readonly fallback: V;
}

/** A table with one row per option. `S` is what the options resolve to. */
export type OptionTable<S> = { readonly [K in keyof S]-?: OptionRow<S[K]> };

/** Makes the row of an option with a default. */
export function option<V>(check: OptionCheck, fallback: V): OptionRow<V> {
  return { check, fallback };
}

/** Makes the row of an option without a default. */
export function optional<V>(check: OptionCheck): OptionRow<V | undefined> {
  return { check, fallback: undefined };
}

/**
 * Gives `options` with their defaults.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an option that is unknown or malformed.
 */
export function resolveOptions<S extends object>(
  where: string,
  options: unknown,
  table: OptionTable<S>,
): S {
  const given = readOptions(where, options, table, ({ check }: OptionRow<unknown>) => check);
  const settings: Record<string, unknown> = {};
  for (const name of Object.keys(table)) {
    settings[name] = name in given ? given[name] : table[name as keyof S].fallback;
  }
  return settings as S;
}

/**
 * Gives the options that are present, own or inherited, without the defaults of the table.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an option that is unknown or malformed.
 */
export function givenOptions<O extends object>(
  where: string,
  options: unknown,
  table: OptionTable<O>,
): O {
  return readOptions(where, options, table, ({ check }: OptionRow<unknown>) => check) as O;
}

function readOptions<R>(
  where: string,
  options: unknown,
  rows: object,
  checkOf: (row: R) => OptionCheck,
): Record<string, unknown> {
  if (!isOptionsObject(options, rows)) {
    throw new InvalidArgumentError(
      `${where}: options must be a plain object, got ${show(options)}.`,
    );
  }
  for (const name in options) {
    if (Object.hasOwn(rows, name) || (name in Object.prototype && !Object.hasOwn(options, name))) {
      continue;
    }
    const known = Object.keys(rows).sort().join(', ');
    throw new InvalidArgumentError(
      `${where}: unknown option \`${name}\`. Known options: ${known}.`,
    );
  }
  const given: Record<string, unknown> = {};
  for (const name of Object.keys(rows)) {
    const value = options[name];
    if (value === undefined) continue;
    const expected = checkOf((rows as Record<string, R>)[name] as R)(value);
    if (expected !== undefined) throw malformed(where, name, expected, value);
    given[name] = value;
  }
  return given;
}

/**
 * Whether a value can be meant as options. An array, a Map or an AbortSignal is no options object, although it is an object
 * without unknown options. An instance of a class is one if it has a known option, own or inherited.
 */
function isOptionsObject(value: unknown, rows: object): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null;
  return isPlain || Object.keys(rows).some((name) => name in value);
}

/** Throws {@link InvalidArgumentError} unless the argument `name` passes its check. */
export function checkArgument(
  where: string,
  name: string,
  value: unknown,
  check: OptionCheck,
): void {
  const error = argumentError(where, name, value, check);
  if (error !== undefined) throw error;
}

/** Gives the error that {@link checkArgument} would throw, for a caller that rejects instead of throwing. */
export function argumentError(
  where: string,
  name: string,
  value: unknown,
  check: OptionCheck,
): Error | undefined {
  const expected = check(value);
  return expected === undefined ? undefined : malformed(where, name, expected, value);
}

/** Expects an integer from `least` to `most`, by default to 2^53 − 1. */
export function integer(least: number, most: number = Number.MAX_SAFE_INTEGER): OptionCheck {
  const range = most === Number.MAX_SAFE_INTEGER ? `≥ ${least}` : `from ${least} to ${most}`;
  return (value) =>
    Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most
      ? undefined
      : `an integer ${range}`;
}

/** Expects an integer from `least` to 2^53 − 1, or `Infinity`. */
export function countOrInfinity(least: number): OptionCheck {
  const finite = integer(least);
  return (value) =>
    value === Infinity || finite(value) === undefined
      ? undefined
      : `an integer ≥ ${least}, or Infinity`;
}

/** Expects a number from `least` on, `Infinity` included, `NaN` excluded. */
export function numberAtLeast(least: number): OptionCheck {
  return (value) =>
    typeof value === 'number' && value >= least ? undefined : `a number ≥ ${least}`;
}

/** Expects a number of milliseconds from 0 on, `Infinity` included. */
export const millis: OptionCheck = (value) =>
  typeof value === 'number' && value >= 0 ? undefined : 'a number of milliseconds ≥ 0';

/** Expects a number of milliseconds above 0, `Infinity` included. */
export const positiveMillis: OptionCheck = (value) =>
  typeof value === 'number' && value > 0
    ? undefined
    : 'a number of milliseconds > 0 (Infinity for no limit)';

/** Expects a function. */
export const aFunction: OptionCheck = (value) =>
  typeof value === 'function' ? undefined : 'a function';

/** Expects `true` or `false`. */
export const aBoolean: OptionCheck = (value) =>
  typeof value === 'boolean' ? undefined : 'true or false';

/** Expects a string with at least one character. */
export const aName: OptionCheck = (value) =>
  typeof value === 'string' && value !== '' ? undefined : 'a non-empty string';

/** Expects an object with all of these methods. It may be a function, as an application of Express is. */
export function objectWith(...methods: readonly string[]): OptionCheck {
  return (value) =>
    Object(value) === value &&
    methods.every((name) => typeof (value as Record<string, unknown>)[name] === 'function')
      ? undefined
      : `an object with ${methods.map((name) => `${name}()`).join(', ')}`;
}

/** Expects one of these strings. */
export function oneOf(...allowed: readonly string[]): OptionCheck {
  return (value) =>
    allowed.includes(value as string)
      ? undefined
      : `one of ${allowed.map((name) => `'${name}'`).join(', ')}`;
}

/** Expects an AbortSignal, of this realm, of another realm, or of a ponyfill. */
export const anAbortSignal: OptionCheck = (value) =>
  objectWith('addEventListener', 'removeEventListener')(value) === undefined &&
  typeof (value as AbortSignal).aborted === 'boolean'
    ? undefined
    : 'an AbortSignal';

function malformed(where: string, name: string, expected: string, value: unknown): Error {
  return new InvalidArgumentError(`${where}: \`${name}\` must be ${expected}, got ${show(value)}.`);
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) {
    const kind = Object.prototype.toString.call(value).slice('[object '.length, -1);
    return kind === 'Object' ? 'an object' : `an object (${kind})`;
  }
  if (typeof value === 'bigint') return `${value}n`;
  return Object.is(value, -0) ? '-0' : String(value);
}
