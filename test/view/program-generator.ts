/** Makes a view program of a seed. Most operations are valid: the generator keeps the format and the shape that it expects. */
import { Random } from '../gc/program-generator.js';
import type { EncodedValue, ViewOp, ViewProgram } from './view-program.js';

/** How many operations a program has. */
const OPS = 20;

const SIZES: Readonly<Record<string, number>> = {
  '?': 1,
  c: 1,
  b: 1,
  B: 1,
  h: 2,
  H: 2,
  e: 2,
  i: 4,
  I: 4,
  f: 4,
  l: 8,
  L: 8,
  q: 8,
  Q: 8,
  n: 8,
  N: 8,
  d: 8,
};
const FORMATS = Object.keys(SIZES);
const BAD_FORMATS = ['<i', '>h', '=B', 'x', 's', 'ii', '', '@', '@@i'];
const LENGTHS = [0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64];
const INTEGERS = [
  '0',
  '1',
  '-1',
  '127',
  '128',
  '-128',
  '-129',
  '255',
  '256',
  '32767',
  '32768',
].concat(
  [
    '-32768',
    '65535',
    '65536',
    '2147483647',
    '2147483648',
    '-2147483648',
    '4294967295',
    '4294967296',
  ],
  ['9223372036854775807', '9223372036854775808', '-9223372036854775808', '18446744073709551615'],
  ['18446744073709551616', '-9223372036854775809', '65504', '65519', '65520', '2049', '4097'],
);
const FLOATS = [
  0.1,
  1.5,
  -2.25,
  1e300,
  -1e300,
  1e-300,
  65504.5,
  65519.9,
  65520.5,
  2 ** -24,
  2 ** -25,
].concat(
  [
    2 ** -14,
    6.1e-5,
    5.96e-8,
    1e38,
    4e38,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    2 ** -25 + 2 ** -40,
  ],
  [Number.NEGATIVE_INFINITY, 1 + 2 ** -11, 1 + 3 * 2 ** -11, 0.333, 2 ** -149 * 1.5, 3.999999],
);

/** What the generator expects of a view. */
interface Expected {
  readonly format: string;
  readonly shape: readonly number[];
}

/** Makes the program of a seed. */
export function generateViewProgram(seed: number): ViewProgram {
  return new Generator(seed).program();
}

class Generator {
  readonly #random: Random;
  readonly #seed: number;
  readonly #ops: ViewOp[] = [];
  readonly #lengths: number[] = [];
  readonly #views: Expected[] = [];

  constructor(seed: number) {
    this.#seed = seed;
    this.#random = new Random(Number((BigInt(seed) * 2654435761n + 97n) & 0xffffffffn));
  }

  program(): ViewProgram {
    const sources = [this.#bytes(this.#length()), this.#bytes(this.#length())];
    for (const source of sources) this.#lengths.push(source.length / 2);
    this.#make(['view', 0], { format: 'B', shape: [this.#lengths[0] as number] });
    while (this.#ops.length < OPS) this.#emit();
    this.#ops.push(['info', this.#view()], ['source', 0], ['source', 1]);
    return { name: `view-${this.#seed}`, sources, ops: this.#ops };
  }

  #emit(): void {
    const random = this.#random;
    const view = this.#view();
    const expected = this.#views[view] as Expected;
    const kind = random.below(100);
    if (kind < 4) {
      const source = random.below(2);
      this.#make(['view', source], { format: 'B', shape: [this.#lengths[source] as number] });
    } else if (kind < 7) this.#make(['again', view], expected);
    else if (kind < 24) this.#cast(view, expected);
    else if (kind < 35) this.#slice(view, expected);
    else if (kind < 38) this.#make(['readonly', view], expected);
    else if (kind < 46) this.#ops.push(['at', view, this.#indexes(expected)]);
    else if (kind < 58)
      this.#ops.push(['set', view, this.#indexes(expected), this.#value(expected)]);
    else if (kind < 64) this.#assign(view, expected);
    else if (kind < 68) this.#ops.push(['toBytes', view, random.pick(['C', 'F', 'A'])]);
    else if (kind < 72) this.#ops.push(['toList', view]);
    else if (kind < 75) this.#ops.push(['iterate', view]);
    else if (kind < 79) this.#hex(view);
    else if (kind < 85) this.#ops.push(['equals', view, this.#view()]);
    else if (kind < 87) this.#ops.push(['equalsBytes', view, this.#bytes(expected.shape[0] ?? 1)]);
    else if (kind < 91) this.#ops.push(['info', view]);
    else if (kind < 94) this.#ops.push(['release', view]);
    else if (kind < 95) this.#ops.push(['iterateReleased', view]);
    else this.#onSource();
  }

  #onSource(): void {
    const source = this.#random.below(2);
    if (this.#random.chance(50)) this.#ops.push(['source', source]);
    else this.#ops.push(['resize', source, this.#length()]);
  }

  #cast(view: number, { format, shape }: Expected): void {
    const random = this.#random;
    if (random.chance(4)) {
      this.#make(['cast', view, random.pick(BAD_FORMATS), null], { format, shape });
      return;
    }
    const char = format.at(-1) as string;
    const toBytes = !'bBc'.includes(char) && random.chance(85);
    const target = toBytes ? random.pick(['B', 'b', 'c']) : random.pick(FORMATS);
    const name = random.chance(10) ? `@${target}` : target;
    const bytes = shape.reduce((product, length) => product * length, SIZES[char] as number);
    const count = Math.floor(bytes / (SIZES[target] as number));
    const hasShape = shape.length === 1 ? random.chance(45) : random.chance(15);
    const lengths = hasShape ? this.#shape(count) : [count];
    this.#make(['cast', view, name, hasShape ? lengths : null], { format: name, shape: lengths });
  }

  /** Gives lengths whose product is `count`, as a rule. */
  #shape(count: number): number[] {
    const random = this.#random;
    if (count === 1 && random.chance(40)) return [];
    if (random.chance(4)) return random.pick([[0], [-1, 2], [2, 0], [3], Array(65).fill(1)]);
    const lengths: number[] = [];
    let rest = count;
    const wanted = 1 + random.below(4);
    while (lengths.length + 1 < wanted) {
      const divisors = [1, 2, 3, 4].filter((divisor) => rest % divisor === 0);
      const length = random.pick(divisors);
      lengths.push(length);
      rest /= length;
    }
    lengths.push(rest);
    return lengths;
  }

  #slice(view: number, { format, shape }: Expected): void {
    const [start, end, step] = this.#range(shape[0] ?? 1);
    const indexes = countOf(shape[0] ?? 1, start, end, step);
    this.#make(['slice', view, start, end, step], { format, shape: [indexes, ...shape.slice(1)] });
  }

  #range(length: number): [number | null, number | null, number | null] {
    const random = this.#random;
    const bound = () => (random.chance(35) ? null : random.below(2 * length + 5) - length - 2);
    const step = random.chance(50) ? null : random.pick([1, 2, 3, -1, -2, -3, 1000, -1000]);
    return [bound(), bound(), random.chance(2) ? 0 : step];
  }

  #assign(view: number, { shape }: Expected): void {
    const random = this.#random;
    const length = shape[0] ?? 1;
    const range = this.#range(length);
    if (random.chance(40)) {
      const count = random.chance(80) ? countOf(length, ...range) : random.below(6);
      this.#ops.push(['assignBytes', view, this.#bytes(count), ...range]);
      return;
    }
    // Two slices of a view, so that most pairs have equal structures and many overlap.
    const source = this.#views.length;
    if (random.chance(70)) this.#slice(view, this.#views[view] as Expected);
    const count = this.#views[source]?.shape[0] ?? length;
    const start = random.below(Math.max(1, length - count + 1));
    const fits = random.chance(75);
    const from = this.#views.length > source ? source : this.#view();
    this.#ops.push(['assign', view, from, ...(fits ? [start, start + count, null] : range)]);
  }

  #hex(view: number): void {
    const random = this.#random;
    if (random.chance(40)) this.#ops.push(['hex', view, null, null]);
    else this.#ops.push(['hex', view, random.pick([':', '-', ' ', '0']), random.below(9) - 4]);
  }

  #indexes({ shape }: Expected): number[] {
    const random = this.#random;
    const extra = random.chance(6) ? random.pick([-1, 1]) : 0;
    return Array.from({ length: Math.max(0, shape.length + extra) }, (_, d) => {
      const length = shape[d] ?? 1;
      return random.chance(8)
        ? random.pick([length, -length - 1, length + 7])
        : random.below(Math.max(1, 2 * length)) - length;
    });
  }

  #value({ format }: Expected): EncodedValue {
    const random = this.#random;
    const char = format.at(-1) as string;
    if (random.chance(8)) {
      return random.pick<EncodedValue>([
        { type: 'str', value: 'a' },
        { type: 'none', value: '' },
        { type: 'bytes', value: '6162' },
        { type: 'int', value: '7' },
        { type: 'float', value: doubleHex(1.5) },
      ]);
    }
    if (char === 'c')
      return { type: 'bytes', value: this.#bytes(random.chance(85) ? 1 : random.below(3)) };
    if (char === '?') return { type: 'bool', value: random.pick(['true', 'false']) };
    if ('efd'.includes(char) && random.chance(75)) {
      return {
        type: 'float',
        value: doubleHex(random.chance(70) ? random.pick(FLOATS) : this.#float()),
      };
    }
    const small = String(random.below(120));
    return { type: 'int', value: random.chance(45) ? small : random.pick(INTEGERS) };
  }

  /** Gives a number of a random exponent that half floats have. */
  #float(): number {
    return (this.#random.next() / 2 ** 32 + 1) * 2 ** (this.#random.below(44) - 26);
  }

  #make(op: ViewOp, expected: Expected): void {
    this.#ops.push(op);
    this.#views.push(expected);
  }

  #view(): number {
    const count = this.#views.length;
    // Later views are of more interest. A number without a view is skipped by both sides.
    return this.#random.chance(60)
      ? count - 1 - this.#random.below(Math.min(3, count))
      : this.#random.below(count);
  }

  #length(): number {
    return this.#random.pick(LENGTHS);
  }

  #bytes(count: number): string {
    let hex = '';
    for (let i = 0; i < count; i++) hex += this.#random.below(256).toString(16).padStart(2, '0');
    return hex;
  }
}

/** Gives how many items a slice takes. */
function countOf(
  length: number,
  start: number | null,
  end: number | null,
  step: number | null,
): number {
  const items = Array.from({ length }, (_, i) => i);
  const by = step ?? 1;
  if (by === 0) return length;
  const clamp = (position: number, least: number, most: number) =>
    Math.min(Math.max(position < 0 ? position + length : position, least), most);
  if (by > 0) {
    const to = end === null ? length : clamp(end, 0, length);
    return items.filter((i) => {
      const from = start === null ? 0 : clamp(start, 0, length);
      return i >= from && i < to && (i - from) % by === 0;
    }).length;
  }
  const from = start === null ? length - 1 : clamp(start, -1, length - 1);
  const to = end === null ? -1 : clamp(end, -1, length - 1);
  return items.filter((i) => i <= from && i > to && (from - i) % -by === 0).length;
}

function doubleHex(value: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes.toString('hex');
}
