/**
 * Whether a watchdog keeps anything of what has ended: memory in use at ten marks of a long run of loans, and of a run of scopes with a
 * loan in each. V8's collector runs before each mark.
 *
 * Run with `npm run bench:one bench/watchdog/flat.ts [scale]`. A scale of 10 makes ten million loans and a million scopes.
 */
import { createPool } from '../../src/pool/index.js';
import { Watchdog } from '../../src/watchdog/index.js';
import { isEntry, numberArgument, printAndExit, rowsOf } from '../command-line.js';
import type { BenchOptions, Group } from '../compare.js';
import { settledUse } from '../memory-use.js';
import { atMostOver, type Row, type Section } from '../row.js';

const LOANS = 1_000_000;
const SCOPES = 100_000;
const MARKS = 10;

/** Growth from the first mark to the last that counts as flat, in bytes: what V8 itself keeps of a run, such as compiled code. */
const FLAT_BYTES = 500_000;

/** No package is measured besides tenure. */
export const packages = [] as const;

export function rows({ scale = 1 }: Pick<BenchOptions, 'scale'>): Promise<Row[]> {
  return rowsOf(sections(scale));
}

async function* sections(scale: number): AsyncGenerator<Section> {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error('run with --expose-gc');
  const pool = createPool({ create: () => ({}), destroy: () => {} }, { max: 10 });
  using watchdog = new Watchdog({ level: 'simple' });
  watchdog.watch(pool);
  const loan = async (): Promise<void> => (await pool.lease()).release();
  const work = [
    ['loans', LOANS, loan],
    ['scopes', SCOPES, () => watchdog.scope('request', loan)],
  ] as const;
  for (const [what, count, once] of work) {
    const total = Math.max(MARKS, Math.round(count * scale));
    const figures = await usesAtMarks(what, total, once, gc);
    const group: Group = {
      title: `Memory in use during ${total.toLocaleString('en')} ${what}`,
      unit: 'B',
      figures,
    };
    const [[first], [last]] = [[...figures.keys()], [...figures.keys()].reverse()];
    yield { group, rows: [atMostOver(FLAT_BYTES, group, last as string, first as string)] };
  }
}

async function usesAtMarks(
  what: string,
  total: number,
  once: () => Promise<void>,
  gc: () => void,
): Promise<Map<string, number>> {
  const figures = new Map<string, number>();
  const perMark = Math.ceil(total / MARKS);
  for (let mark = 1; mark <= MARKS; mark++) {
    for (let i = 0; i < perMark; i++) await once();
    figures.set(`after ${(mark * perMark).toLocaleString('en')} ${what}`, await settledUse(gc));
  }
  return figures;
}

if (isEntry(import.meta.url)) await printAndExit(sections(numberArgument(0, 1)));
