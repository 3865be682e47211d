/**
 * The pool beside its peers and a bare floor, in one process: what one loan costs when no caller waits, when 100 workers
 * share 10 resources, and in bytes. Each round runs all contenders in a new random order, and medians are compared, so a
 * pause of the machine favours no contender.
 *
 * Run with `npm run bench:one bench/pool/beside-peers.ts [rounds]`.
 */
import { isEntry, numberArgument, printAndExit, rowsOf } from '../command-line.js';
import { type BenchOptions, type Contender, type Group, measure } from '../compare.js';
import { atLeast, atMost, atMostFigure, beside, type Row, type Section } from '../row.js';
import { contended, FLOOR, MAX, SHARED_FLOOR, uncontended } from './contenders.js';

const LOANS = 100_000;
/** Few enough to fit into V8's young generation: nothing is collected before it is counted. */
const LOANS_FOR_BYTES = 2_000;

const PEERS = [
  'generic-pool with acquireTimeoutMillis',
  'lightning-pool',
  'sequelize-pool',
  'tarn',
] as const;

/** Packages that are measured besides tenure. */
export const packages = ['generic-pool', 'lightning-pool', 'sequelize-pool', 'tarn'] as const;

export function rows(options: BenchOptions): Promise<Row[]> {
  return rowsOf(sections(options));
}

async function* sections(options: BenchOptions): AsyncGenerator<Section> {
  const alone = await measure('One loan, no caller waits', uncontended(), options, LOANS);
  yield {
    group: alone,
    rows: [
      atMost(1.5, alone, 'tenure lease', FLOOR),
      atLeast(6, alone, 'tenure lease', 'generic-pool'),
      ...beside(alone, 'tenure lease', PEERS),
      atLeast(5, alone, 'tenure acquire', 'generic-pool'),
      atLeast(5, alone, 'tenure use', 'generic-pool use'),
      atMostFigure(25, alone, 'tenure tryLease'),
      atLeast(20, alone, 'tenure tryLease', 'generic-pool'),
      atLeast(1, alone, 'tenure lease, watched at simple', 'generic-pool'),
    ],
  };
  const title = `One loan, 100 workers on ${MAX} resources`;
  const shared = await measure(title, contended(), options, LOANS);
  yield {
    group: shared,
    rows: [
      atMost(1.3, shared, 'tenure lease', SHARED_FLOOR),
      atLeast(3.5, shared, 'tenure lease', 'generic-pool'),
      ...beside(shared, 'tenure lease', PEERS),
      atLeast(1, shared, 'tenure lease, watched at simple', 'generic-pool'),
    ],
  };
  const { gc } = globalThis;
  if (gc === undefined) return;
  const bytes = await allocated(uncontended(), gc, LOANS_FOR_BYTES);
  yield {
    group: bytes,
    rows: [
      atMostFigure(400, bytes, 'tenure lease'),
      ...beside(bytes, 'tenure lease', ['generic-pool', ...PEERS]),
    ],
  };
}

async function allocated(
  contenders: readonly Contender[],
  gc: () => void,
  loans: number,
): Promise<Group> {
  const figures = new Map<string, number>();
  for (const { name, run } of contenders) {
    await run(10 * loans);
    gc();
    const before = process.memoryUsage().heapUsed;
    await run(loans);
    figures.set(name, (process.memoryUsage().heapUsed - before) / loans);
  }
  return { title: 'Bytes allocated by one loan, no caller waits', unit: 'B', figures };
}

if (isEntry(import.meta.url)) {
  if (globalThis.gc === undefined) console.log('bytes: run with --expose-gc');
  await printAndExit(sections({ rounds: numberArgument(0, 11) }));
}
