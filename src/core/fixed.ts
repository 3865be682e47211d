/** Numbers as the programs of Python print them whose tables these are. */

/** Rounds a half to the even digit, as C's `printf` does; `toFixed` rounds it up. */
export function fixed(value: number, digits: 0 | 1): string {
  const scaled = Math.abs(value) * 10 ** digits;
  const floor = Math.floor(scaled);
  const isHalf = scaled - floor === 0.5;
  const rounded = isHalf ? floor + (floor % 2) : Math.round(scaled);
  return ((Math.sign(value) * rounded) / 10 ** digits).toFixed(digits);
}
