/**
 * The sizes of pooled buffers: 64 bytes, then 1, 2 or 4 sizes for each doubling. With 4, a buffer has at most a quarter more
 * than was asked for, as in jemalloc and in Netty's `SizeClasses`. With 1, the sizes are the powers of two.
 *
 * ```
 *   4 a doubling   64   80   96  112  128  160  192  224  256 …
 *   2 a doubling   64        96       128       192       256 …
 *   1 a doubling   64                 128                 256 …
 * ```
 */

/** How many sizes there are from one power of two to the next. */
export type ClassesPerDoubling = 1 | 2 | 4;

const SMALLEST_LOG2 = 6;
const SMALLEST = 2 ** SMALLEST_LOG2;

/** Gives the number of the smallest size that has room for `bytes`. `log2` is that of the classes per doubling. */
export function sizeClassOf(bytes: number, log2: number): number {
  if (bytes <= SMALLEST) return 0;
  const last = bytes - 1;
  const power = 31 - Math.clz32(last);
  const quarter = (last >>> (power - log2)) - (1 << log2);
  return ((power - SMALLEST_LOG2) << log2) + quarter + 1;
}

/** Gives the bytes of a size by its number. */
export function bytesOfClass(sizeClass: number, log2: number): number {
  if (sizeClass === 0) return SMALLEST;
  const power = SMALLEST_LOG2 + ((sizeClass - 1) >>> log2);
  const quarter = (sizeClass - 1) & ((1 << log2) - 1);
  return ((1 << log2) + quarter + 1) * 2 ** (power - log2);
}
