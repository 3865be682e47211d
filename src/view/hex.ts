/** Bytes as hexadecimal digits, as Python's `bytes.hex` prints them. */
import { checkArgument, type OptionCheck } from '../core/options.js';

const aSeparator: OptionCheck = (value) =>
  value === undefined || (typeof value === 'string' && value.length === 1 && value < '\u0080')
    ? undefined
    : 'one ASCII character';

const anInteger: OptionCheck = (value) =>
  Number.isSafeInteger(value)
    ? undefined
    : 'an integer: above 0 to group from the right, below 0 from the left';

const DIGITS: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0'),
);

/**
 * Gives two digits for each byte, with `separator` between groups of `bytesPerGroup` bytes. The groups are counted from the
 * right; from the left if `bytesPerGroup` is below 0. 0 makes one group.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a separator that is not one ASCII character.
 */
export function hexOf(bytes: Uint8Array, separator?: string, bytesPerGroup = 1): string {
  checkArgument('MemoryView.hex', 'separator', separator, aSeparator);
  checkArgument('MemoryView.hex', 'bytesPerSep', bytesPerGroup, anInteger);
  const group = Math.abs(bytesPerGroup);
  const firstGroup = bytesPerGroup > 0 ? bytes.length % group : 0;
  let text = '';
  for (let i = 0; i < bytes.length; i++) {
    const startsGroup = i > 0 && group > 0 && (i - firstGroup) % group === 0;
    if (separator !== undefined && startsGroup) text += separator;
    text += DIGITS[bytes[i] as number] as string;
  }
  return text;
}
