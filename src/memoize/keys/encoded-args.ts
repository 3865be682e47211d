/**
 * Argument lists in a form that JSON carries without a loss, and that is valid in every process. They can contain primitives other
 * than symbols. A symbol and an object have an identity, which is only known in their own process.
 */
import { InvalidArgumentError } from '../../core/errors.js';

/** Stands for a primitive that JSON does not carry. It has one of the fields. */
export interface EncodedSpecial {
  /** Present for `undefined`. */
  readonly u?: 0;
  /** The digits of a bigint. */
  readonly b?: string;
  /** A number that is not finite, `'NaN'`, `'Infinity'` or `'-Infinity'`; or `'-0'`, as the value of a dump. */
  readonly n?: string;
}

/** A primitive as JSON carries it. */
export type EncodedPrimitive = string | number | boolean | null | EncodedSpecial;

/** The most digits of a bigint that is read. */
const MAX_DIGITS = 10_000;

/** A primitive in its form for JSON; `undefined` for a symbol or an object. 1 is not '1', NaN is NaN, -0 is 0. */
export function encodePrimitive(value: unknown): EncodedPrimitive | undefined {
  if (value === undefined) return { u: 0 };
  if (typeof value === 'bigint') return { b: String(value) };
  if (typeof value === 'number') return Number.isFinite(value) ? value : { n: String(value) };
  const isPlain = value === null || typeof value === 'string' || typeof value === 'boolean';
  return isPlain ? value : undefined;
}

/**
 * The primitive that {@link encodePrimitive} has encoded.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for anything else.
 */
export function decodePrimitive(encoded: unknown): unknown {
  if (typeof encoded !== 'object' || encoded === null) {
    if (encodePrimitive(encoded) === encoded) return encoded;
  } else {
    const { u, b, n } = encoded as Record<string, unknown>;
    if (u === 0) return undefined;
    if (typeof b === 'string' && b.length <= MAX_DIGITS && /^-?\d+$/.test(b)) return BigInt(b);
    if (n === 'NaN' || n === 'Infinity' || n === '-Infinity' || n === '-0') return Number(n);
  }
  throw new InvalidArgumentError(
    'An encoded argument must be a string, a number, a boolean, null, or an object as dump() writes it.',
  );
}

/** The argument list as text; `undefined` if it has a symbol or an object. O(n). */
export function encodeArgs(args: readonly unknown[]): string | undefined {
  const encoded = args.map(encodePrimitive);
  return encoded.includes(undefined) ? undefined : JSON.stringify(encoded);
}

/**
 * The argument list in a text that {@link encodeArgs} has written.
 *
 * @throws `SyntaxError` or {@link InvalidArgumentError} for another text.
 */
export function decodeArgs(text: string): unknown[] {
  const list: unknown = JSON.parse(text);
  if (!Array.isArray(list))
    throw new InvalidArgumentError('A list of encoded arguments must be an array.');
  return list.map(decodePrimitive);
}
