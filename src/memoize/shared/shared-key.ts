/**
 * Argument lists as strings that mean the same in every process. Only primitives do; a symbol or an object is what it is
 * by its identity, which ends with the process.
 */

/** The list as text; `undefined` if something in it cannot be written down. 1 is not '1', NaN is NaN, -0 is 0. */
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

/** What {@link encodeArgs} has written down. */
export function decodeArgs(text: string): unknown[] {
  return (JSON.parse(text) as unknown[]).map((written) => {
    if (typeof written !== 'object' || written === null) return written;
    const { b, n } = written as { b?: string; n?: string };
    if (b !== undefined) return BigInt(b);
    return n === undefined ? undefined : Number(n);
  });
}
