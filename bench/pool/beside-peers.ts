/**
 * The pool beside its peers and a bare floor, in one process: what one loan costs when nobody waits, when 100 workers
 * share 10 resources, and in bytes. Each round runs all contenders in a new random order, and medians are compared, so a
 * pause of the machine hits nobody in particular.
 *
 * Run with `node --expose-gc --import tsx bench/pool/beside-peers.ts [rounds]`.
 */
import { compare, print } from '../compare.js';
import { contended, MAX, uncontended } from './contenders.js';

const LOANS = 100_000;
const LOANS_FOR_BYTES = 20_000;

await compare('Uncontended, per loan', uncontended(), LOANS);
await compare(`100 workers on ${MAX} resources, per loan`, contended(), LOANS);

if (globalThis.gc === undefined) console.log('\nbytes: run with --expose-gc');
else {
  console.log('\nBytes allocated per uncontended loan, and times the first');
  let floor: number | undefined;
  for (const { name, run } of uncontended()) {
    await run(LOANS_FOR_BYTES);
    globalThis.gc();
    const before = process.memoryUsage().heapUsed;
    // Few enough to fit into the young generation: nothing is collected before it is counted.
    await run(LOANS_FOR_BYTES / 10);
    const bytes = (process.memoryUsage().heapUsed - before) / (LOANS_FOR_BYTES / 10);
    floor ??= bytes;
    print(name, `${bytes.toFixed(0)} bytes`, bytes / floor);
  }
}
process.exit(); // Some peers' timers would keep it.
