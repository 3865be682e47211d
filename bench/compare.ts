/** How the benches measure: all contenders in one process, interleaved in random order, medians compared. */

process.setSourceMapsEnabled(false); // tsx switches them on. A service has none, and a stack with them takes as long as ten queries.

/** How much a bench does. */
export interface BenchOptions {
  /** Rounds of each group of contenders. The median of them counts. */
  readonly rounds: number;
  /**
   * Part of the full work of a round. Figures mean nothing below 1: it lets a test run every bench in a second.
   *
   * @default 1
   */
  readonly scale?: number;
}

/** Code that is measured beside other code. */
export interface Contender {
  readonly name: string;
  /** Performs this many operations. */
  run(operations: number): unknown;
}

/** What a figure counts: time, bytes, per cent of requests, or growth from the first size to the last. */
export type Unit = 'ns' | 'ms' | 'B' | '%' | '×';

/** Figures of contenders that were measured together. */
export interface Group {
  readonly title: string;
  readonly unit: Unit;
  /** Rounds of which the figures are medians. Absent where each contender runs once. */
  readonly rounds?: number;
  /** One figure for each contender, by its name. The first is the floor: what the others are printed as multiples of. */
  readonly figures: ReadonlyMap<string, number>;
}

/** What the time of a contender is read from, in milliseconds. */
type Stopwatch = () => number;

const wallClock: Stopwatch = () => performance.now();

/** The processor time of this process with all its threads. A wait for a server costs nothing. */
export const processorTime: Stopwatch = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

/** Measures the median nanoseconds of one operation of each contender. */
export function measure(
  title: string,
  contenders: readonly Contender[],
  options: BenchOptions,
  fullOperations = 200_000,
): Promise<Group> {
  return measureBy(wallClock, title, contenders, options, fullOperations);
}

/** Measures the median nanoseconds of processor time of one operation of each contender. */
export function measureProcessorTime(
  title: string,
  contenders: readonly Contender[],
  options: BenchOptions,
  fullOperations: number,
): Promise<Group> {
  return measureBy(processorTime, title, contenders, options, fullOperations);
}

async function measureBy(
  now: Stopwatch,
  title: string,
  contenders: readonly Contender[],
  { rounds, scale = 1 }: BenchOptions,
  fullOperations: number,
): Promise<Group> {
  const operations = scaled(fullOperations, scale);
  const nanos = new Map<Contender, number[]>(contenders.map((contender) => [contender, []]));
  const share = new Map<Contender, number>();
  for (const contender of contenders) {
    const start = now();
    await contender.run(operations / 10); // Warms up, and tells how many operations a slow contender can do.
    const tenth = now() - start;
    share.set(contender, Math.ceil(operations / Math.max(1, tenth / 20)));
    await contender.run(share.get(contender) ?? operations);
  }
  for (let round = 0; round < rounds; round++) {
    for (const contender of shuffled(contenders)) {
      const count = share.get(contender) ?? operations;
      const start = now();
      await contender.run(count);
      nanos.get(contender)?.push(((now() - start) * 1e6) / count);
    }
  }
  return {
    title,
    unit: 'ns',
    rounds,
    figures: new Map([...nanos].map(([{ name }, all]) => [name, median(all)])),
  };
}

/** This part of a full count, and at least 1,000. */
export function scaled(full: number, scale: number): number {
  return Math.min(full, Math.max(1_000, Math.round(full * scale)));
}

/** Prints the figure of each contender, and its ratio to the first. */
export function printGroup({ title, unit, rounds, figures }: Group): void {
  const medians = rounds === undefined ? '' : `: median ${unit} of ${rounds} rounds`;
  console.log(`\n${title}${medians}, and times the first`);
  const [floor = Number.NaN] = figures.values();
  for (const [name, figure] of figures) {
    const amount = `${figure.toFixed(unit === 'ns' ? 1 : 0)} ${unit}`;
    console.log(
      `  ${name.padEnd(40)} ${amount.padStart(10)} ${(figure / floor).toFixed(2).padStart(7)}×`,
    );
  }
}

/** The figure of a contender; throws if the group has none. */
export function figureOf({ title, figures }: Group, name: string): number {
  const figure = figures.get(name);
  if (figure === undefined) throw new Error(`'${title}' measures no '${name}'`);
  return figure;
}

/** The middle one of an odd count of numbers. */
export function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
}

/** The items in random order. */
export function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, key: Math.random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}
