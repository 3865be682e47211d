/** How the benches measure: all contenders in one process, interleaved in random order, medians compared. */

/** Rounds of each group: the first argument of the script. */
export const ROUNDS = Number(process.argv[2] ?? 11);

/** Something that is measured beside others. */
export interface Contender {
  readonly name: string;
  /** Performs this many operations. */
  run(operations: number): unknown;
}

/** Prints each contender's median time and its ratio to the first's. */
export async function compare(
  title: string,
  contenders: readonly Contender[],
  operations = 200_000,
): Promise<void> {
  const nanos = new Map<Contender, number[]>(contenders.map((contender) => [contender, []]));
  const share = new Map<Contender, number>();
  for (const contender of contenders) {
    const start = performance.now();
    await contender.run(operations / 10); // Warms up, and tells how many the slow ones can do.
    const tenth = performance.now() - start;
    share.set(contender, Math.ceil(operations / Math.max(1, tenth / 20)));
    await contender.run(share.get(contender) ?? operations);
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const contender of shuffled(contenders)) {
      const count = share.get(contender) ?? operations;
      const start = performance.now();
      await contender.run(count);
      nanos.get(contender)?.push(((performance.now() - start) * 1e6) / count);
    }
  }
  const floor = median(nanos.get(contenders[0] as Contender) ?? []);
  console.log(`\n${title}: median ns of ${ROUNDS} rounds, and times the first`);
  for (const [contender, all] of nanos) {
    print(contender.name, `${median(all).toFixed(1)} ns`, median(all) / floor);
  }
}

/** One line of a table. */
export function print(name: string, figure: string, ratio: number): void {
  console.log(`  ${name.padEnd(40)} ${figure.padStart(10)} ${ratio.toFixed(2).padStart(7)}×`);
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, key: Math.random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

/** The middle one of an odd count of numbers. */
export function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
}
