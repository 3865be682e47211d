/**
 * `npm run soak:buffers`: leases of random sizes for 10 minutes; `-- --seconds N` for another time, `-- --seed N` to repeat the
 * choices of a run. It prints the resident memory 20 times, and fails if memory grows, if more bytes are idle than `maxBytes`, or
 * if a holder finds another holder's bytes.
 */
import { setImmediate } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type BufferLease, BufferPool } from '../src/view/index.js';
import { Random } from './soak/random.js';

const MIB = 2 ** 20;
const MAX_BYTES = 32 * MIB;
/** Leases that are out at a time. */
const HOLDERS = 64;
const LEASES_PER_TURN = 200;
const PRINTED = 20;
/** How much more resident memory the last quarter of the readings may have than the second. */
const GROWTH_ALLOWED = 1.15;

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '600' }, seed: { type: 'string' } },
});
const seconds = Number(values.seconds);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
if (!Number.isFinite(seconds) || seconds < 5 || !Number.isSafeInteger(seed)) {
  console.error('usage: npm run soak:buffers -- [--seconds N] [--seed N]   (N seconds ≥ 5)');
  process.exit(2);
}

console.log(`soak       ${seconds} s, seed ${seed}, ${MAX_BYTES / MIB} MiB may be idle`);
const random = new Random(seed);
const pool = new BufferPool({ maxBytes: MAX_BYTES, idleTimeoutMillis: 2_000 });
const holders: { readonly lease: BufferLease; readonly mark: number }[] = [];
const rss: number[] = [];
let leases = 0;
let mixedUp = 0;
let mostIdle = 0;

const start = performance.now();
for (let elapsed = 0; elapsed < seconds; elapsed = (performance.now() - start) / 1_000) {
  for (let i = 0; i < LEASES_PER_TURN; i++) lendOne();
  await setImmediate();
  if (elapsed >= (rss.length * seconds) / PRINTED) {
    rss.push(process.memoryUsage.rss());
    const { idleBytes, outBytes, waste, hits, misses, oversize } = pool.stats();
    console.log(
      `  ${elapsed.toFixed(0).padStart(4)} s   RSS ${mib(rss.at(-1) as number)}   out ${mib(outBytes)}   idle ${mib(idleBytes)}   waste ${mib(waste)}   ${leases.toLocaleString('en')} leases, ${((100 * hits) / (hits + misses)).toFixed(2)} % hits, ${oversize} oversize`,
    );
  }
}
for (const { lease } of holders) lease.release();

const quarter = PRINTED / 4;
const early = median(rss.slice(quarter, 2 * quarter));
const late = median(rss.slice(-quarter));
const { out, outBytes, waste } = pool.stats();
const findings: readonly (readonly [what: string, figure: string, isFine: boolean])[] = [
  [
    'resident memory, second quarter and last',
    `${mib(early)}, ${mib(late)}`,
    late <= early * GROWTH_ALLOWED,
  ],
  ['most bytes idle', mib(mostIdle), mostIdle <= MAX_BYTES],
  ['holders with bytes of another', String(mixedUp), mixedUp === 0],
  ['leases out at the end', String(out), out === 0 && outBytes === 0 && waste === 0],
];
for (const [what, figure, isFine] of findings) {
  console.log(`${isFine ? 'fine' : 'FAILED'}       ${what}: ${figure}`);
  if (!isFine) process.exitCode = 1;
}

/** Lends bytes of a random length in place of a random holder's. */
function lendOne(): void {
  const place = random.below(HOLDERS);
  const former = holders[place];
  if (former !== undefined) {
    const { bytes } = former.lease;
    if (bytes[0] !== former.mark || bytes.at(-1) !== former.mark) mixedUp++;
    former.lease.release();
  }
  const mark = random.below(256);
  const lease = pool.lease(randomLength());
  touch(lease.bytes, mark);
  holders[place < holders.length ? place : holders.length] = { lease, mark };
  leases++;
  mostIdle = Math.max(mostIdle, pool.stats().idleBytes);
}

/**
 * Gives a length of a random magnitude, from 1 byte to 2 MiB; for one lease in 10,000 an oversize one of 5 MiB. Oversize buffers
 * are garbage at once: more of them would measure when V8 collects, not what the pool keeps.
 */
function randomLength(): number {
  if (random.below(10_000) === 0) return 5 * MIB;
  const power = random.below(random.below(10) === 0 ? 21 : 17);
  return 2 ** power + random.below(2 ** power);
}

function touch(bytes: Uint8Array, mark: number): void {
  for (let at = 0; at < bytes.length; at += 4_096) bytes[at] = mark;
  bytes[bytes.length - 1] = mark;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0;
}

function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}
