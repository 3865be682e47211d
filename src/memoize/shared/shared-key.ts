/**
 * Argument lists as strings that are valid in every process. They can contain primitives other than symbols. A symbol and an
 * object have an identity, which is only known in their own process.
 */

/** The argument list as text; `undefined` if it has a symbol or an object. 1 is not '1', NaN is NaN, -0 is 0. O(n). */
export function encodeArgs(args: readonly unknown[]): string | undefined {
  const written: unknown[] = [];
  for (const arg of args) {
    if (arg === undefined) written.push({ u: 0 });
    else if (typeof arg === 'bigint') written.push({ b: String(arg) });
    else if (typeof arg === 'number' && !Number.isFinite(arg)) written.push({ n: String(arg) });
    else if (arg === null || ['string', 'number', 'boolean'].includes(typeof arg))
      written.push(arg);
    else return undefined;
  }
  return JSON.stringify(written);
}

/** The argument list in a text that {@link encodeArgs} has written. */
export function decodeArgs(text: string): unknown[] {
  return (JSON.parse(text) as unknown[]).map((written) => {
    if (typeof written !== 'object' || written === null) return written;
    const { b, n } = written as { b?: string; n?: string };
    if (b !== undefined) return BigInt(b);
    return n === undefined ? undefined : Number(n);
  });
}
