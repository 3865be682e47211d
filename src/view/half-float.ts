/**
 * Half-precision floats (IEEE 754 binary16) as 16 bits. `DataView` has `getFloat16` only from Node 24 on. The rounding is that
 * of CPython's `PyFloat_Pack2`: to the nearest value, and to the even one of two that are as near.
 *
 * ```
 *   15   14 ─── 10   9 ────── 0
 *   sign exponent    fraction       (-1)^sign × 2^(exponent − 15) × (1 + fraction / 1024)
 * ```
 */

const NOT_A_NUMBER = 0x7e00;
const INFINITE = 0x7c00;

/** The smallest magnitude that rounds to infinity. */
const TOO_LARGE = 65_520;

/** The smallest magnitude with a full fraction: 2^-14. */
const SMALLEST_NORMAL = 2 ** -14;

/** The distance of two neighbours below {@link SMALLEST_NORMAL}: 2^-24. */
const SMALLEST_STEP = 2 ** -24;

/** Gives the number that 16 bits stand for. */
export function halfFloatOf(bits: number): number {
  const sign = bits >>> 15 === 0 ? 1 : -1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * SMALLEST_STEP;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (fraction + 1024) * 2 ** (exponent - 25);
}

/** Gives the 16 bits of the nearest half float; `undefined` if the finite number is too large for one. */
export function halfFloatBits(value: number): number | undefined {
  if (Number.isNaN(value)) return NOT_A_NUMBER;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (magnitude === Number.POSITIVE_INFINITY) return sign | INFINITE;
  if (magnitude >= TOO_LARGE) return undefined;
  if (magnitude < SMALLEST_NORMAL) return sign | roundToEven(magnitude / SMALLEST_STEP);
  const exponent = floorOfLog2(magnitude);
  // A fraction that rounds up to 1024 carries into the exponent, which is what the next number is stored as.
  return sign | (((exponent + 15) << 10) + roundToEven((magnitude / 2 ** exponent - 1) * 1024));
}

/** Gives the exponent of a number from 2^-14 to 2^16. `Math.log2` alone is wrong just below a power of two. */
function floorOfLog2(value: number): number {
  const estimate = Math.floor(Math.log2(value));
  return 2 ** estimate > value ? estimate - 1 : estimate;
}

function roundToEven(value: number): number {
  const down = Math.floor(value);
  const rest = value - down;
  if (rest === 0.5) return down + (down % 2);
  return rest < 0.5 ? down : down + 1;
}
