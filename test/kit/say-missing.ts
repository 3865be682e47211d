/** Prints that something is not tested on this machine. Throws if `CI=true`. */
export function sayMissing(what: string): void {
  if (process.env['CI'] === 'true') throw new Error(what);
  const line = '!'.repeat(80);
  console.warn(`\n${line}\n${what}\n${line}\n`);
}
