/**
 * What watching costs: a lease and its release, unwatched and at each level, interleaved in one process; medians, and ratios to
 * the unwatched one. `npx tsx bench/watchdog/levels.ts`
 */
import { createPool } from '../../src/pool/index.js';
import { Watchdog, type WatchLevel } from '../../src/watchdog/index.js';

const ROUNDS = 9;
const LEASES = 20_000;

const cases: { readonly name: string; readonly run: () => Promise<void>; times: number[] }[] = [];

for (const level of ['unwatched', 'counters', 'simple', 'advanced', 'paranoid'] as const) {
  const pool = createPool({ create: () => ({}), destroy: () => {} }, { max: 10 });
  if (level !== 'unwatched') new Watchdog({ level: level as WatchLevel }).watch(pool);
  cases.push({
    name: level,
    times: [],
    async run() {
      for (let i = 0; i < LEASES; i++) await (await pool.lease()).release();
    },
  });
}

for (let round = 0; round <= ROUNDS; round++) {
  for (const { run, times } of cases) {
    const startedAt = performance.now();
    await run();
    if (round > 0) times.push(((performance.now() - startedAt) * 1e6) / LEASES);
  }
}

const median = (times: number[]): number =>
  times.sort((a, b) => a - b)[times.length >> 1] ?? Number.NaN;
const unwatched = median(cases[0]?.times ?? []);
for (const { name, times } of cases) {
  const nanos = median(times);
  console.log(
    `${name.padEnd(10)} ${nanos.toFixed(0).padStart(7)} ns  ${(nanos / unwatched).toFixed(1)}×`,
  );
}
