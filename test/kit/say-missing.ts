/** Says loudly that something is not tested on this machine; where `CI=true`, that is a failure. */
export function sayMissing(what: string): void {
  if (process.env['CI'] === 'true') throw new Error(what);
  const line = '!'.repeat(80);
  console.warn(`\n${line}\n${what}\n${line}\n`);
}
