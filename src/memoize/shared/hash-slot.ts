/**
 * The hash slots of a Redis Cluster. Each name belongs to one of 16,384 slots, and each shard serves ranges of them. Two names
 * with one text in braces have one slot. Source: Redis cluster specification, "Key distribution model" and appendix A.
 */

/** How many slots there are. */
export const SLOTS = 16_384;

const encoder = /* @__PURE__ */ new TextEncoder();

/** The slot of a name, from 0 to 16,383. */
export function hashSlotOf(name: string): number {
  const open = name.indexOf('{');
  const close = open === -1 ? -1 : name.indexOf('}', open);
  const hashed = close > open + 1 ? name.slice(open + 1, close) : name;
  return crc16(encoder.encode(hashed)) % SLOTS;
}

/** CRC-16/XMODEM: the polynomial 0x1021, from 0. */
function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc >= 0x80_00 ? 0x1_10_21 : 0);
  }
  return crc;
}

/** One of these names for each of their slots: the first one. The last slots come first, so those of later names are probed earlier. */
export function bySlot(names: readonly string[]): ReadonlyMap<number, string> {
  return new Map([...names].reverse().map((name) => [hashSlotOf(name), name]));
}

/** How many parts the slots are divided into: ranges of equal size. */
export const PARTS = 128;

/** The part of a name, from 0 to 127. */
export function partOf(name: string): number {
  return Math.floor((hashSlotOf(name) * PARTS) / SLOTS);
}

/** Texts whose slots are in different parts. Made when they are first needed. */
let texts: readonly string[] | undefined;

/** Names like `name` in each of the 128 parts of the slots. No value is stored under them. */
export function namesAcross(name: string): string[] {
  texts ??= textsAcross();
  const start = name.slice(0, name.indexOf('{') + 1);
  return texts.map((text) => `${start}${text}}`);
}

function textsAcross(): readonly string[] {
  const found = new Map<number, string>();
  for (let number = 0; found.size < PARTS; number++) {
    const part = partOf(String(number));
    if (!found.has(part)) found.set(part, String(number));
  }
  return [...found.values()];
}
