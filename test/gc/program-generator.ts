/**
 * Generates random heap programs from a seed. A port to another language gives the same program for the same seed, bit
 * for bit. The random numbers are those of mulberry32.
 */
import type { HeapOp, HeapProgram } from '../../src/gc/index.js';

/** What a group of programs has more of than other programs. */
interface Profile {
  readonly link?: number;
  readonly drop?: number;
  readonly weak?: number;
  readonly deref?: number;
  readonly fin?: number;
  readonly grow?: number;
  readonly churn?: number;
  readonly legacy?: number;
  readonly cbact?: boolean;
  readonly finact?: boolean;
  readonly saveall?: boolean;
  readonly thresholds?: boolean;
  readonly auto?: boolean;
  readonly freeze?: boolean;
  readonly nested?: boolean;
  readonly deep?: boolean;
  readonly deepact?: boolean;
}

export const PROFILES: Readonly<Record<string, Profile>> = {
  core: {},
  cycles: { link: 30, drop: 14 },
  weak: { weak: 12, deref: 4, cbact: true },
  fin: { fin: 12 },
  resurrect: { fin: 16, weak: 6, deref: 3, finact: true, cbact: true },
  saveall: { fin: 8, weak: 4, finact: true, saveall: true },
  thresholds: { thresholds: true, auto: true, grow: 8, churn: 3, fin: 3 },
  freeze: { freeze: true, fin: 4, weak: 4, auto: true },
  nested: { fin: 14, weak: 8, finact: true, cbact: true, nested: true, auto: true },
  legacy: { legacy: 6, fin: 5, weak: 5, finact: true, cbact: true, saveall: true },
  deep: { deep: true, fin: 8, weak: 4 },
  deepact: { deep: true, fin: 6, weak: 4, cbact: true, finact: true, deepact: true },
  all: {
    fin: 10,
    weak: 8,
    deref: 3,
    finact: true,
    cbact: true,
    saveall: true,
    thresholds: true,
    auto: true,
    grow: 3,
    churn: 2,
    freeze: true,
  },
};

const PROFILE_NAMES = Object.keys(PROFILES);

/** Returns the program of this seed. Without a profile, the seed chooses one. */
export function generateProgram(
  seed: number,
  profile: string = PROFILE_NAMES[seed % PROFILE_NAMES.length] as string,
  opCount = 120,
  registers = 12,
): HeapProgram {
  return new Generator(seed, profile, registers).program(opCount);
}

type Table = (readonly [weight: number, value: string])[];

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1) >>> 0;
    t = (t ^ ((t + Math.imul(t ^ (t >>> 7), t | 61)) >>> 0)) >>> 0;
    return (t ^ (t >>> 14)) >>> 0;
  }

  below(limit: number): number {
    return this.next() % limit;
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T;
  }

  weighted(table: Table): string {
    let rest = this.below(table.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, value] of table) {
      if (rest < weight) return value;
      rest -= weight;
    }
    throw new Error('a table without weights');
  }
}

class Generator {
  readonly #seed: number;
  readonly #name: string;
  readonly #profile: Profile;
  readonly #registers: number;
  readonly #random: Random;
  readonly #ops: HeapOp[] = [];
  #actionCount = 0;

  constructor(seed: number, name: string, registers: number) {
    this.#seed = seed;
    this.#name = name;
    this.#profile = PROFILES[name] as Profile;
    this.#registers = registers;
    this.#random = new Random(Number((BigInt(seed) * 2654435761n + 12345n) & 0xffffffffn));
  }

  program(opCount: number): HeapProgram {
    const random = this.#random;
    const profile = this.#profile;
    let auto = profile.auto === true || random.chance(50);
    if (profile.legacy !== undefined) auto = false;
    const threshold: [number, number, number] = auto
      ? [3 + random.below(25), random.below(5), random.below(5)]
      : [700, 10, 10];
    const actions = Array.from({ length: 10 }, () => this.#action());
    this.#actionCount = actions.length;
    const table = this.#table();
    while (this.#ops.length < opCount) this.#emitOp(random.weighted(table));
    this.#ops.push(['snap'], ['collect', 2], ['snap'], ['garbage'], ['stats']);
    return {
      name: `${this.#name}-${this.#seed}`,
      regs: this.#registers,
      enabled: auto,
      maxWeak: profile.nested === true ? 1 : 8,
      threshold,
      actions,
      ops: this.#ops,
    };
  }

  #register(): number {
    return this.#random.below(this.#registers);
  }

  #action(): HeapOp[] {
    const table: Table = [
      [5, 'self_reg'],
      [4, 'self_unreg'],
      [3, 'self_link'],
      [2, 'self_add'],
      [2, 'self_clear'],
      [3, 'self_load'],
      [3, 'drop'],
      [3, 'link'],
      [2, 'unlink'],
      [1, 'clear'],
      [2, 'load'],
      [1, 'copy'],
      [3, 'deref'],
      [this.#profile.nested === true ? 3 : 0, 'collect'],
    ];
    const random = this.#random;
    return Array.from({ length: 1 + random.below(3) }, (): HeapOp => {
      const name = random.weighted(table);
      switch (name) {
        case 'self_clear':
        case 'self_unreg':
          return [name];
        case 'self_load':
        case 'unlink':
          return [name, this.#register(), random.below(4)];
        case 'link':
        case 'copy':
        case 'deref':
          return [name, this.#register(), this.#register()];
        case 'load':
          return [name, this.#register(), this.#register(), random.below(4)];
        case 'collect':
          return [name, random.below(3)];
        default:
          return [name, this.#register()];
      }
    });
  }

  #table(): Table {
    const profile = this.#profile;
    const table: Table = [
      [14, 'new'],
      [profile.fin ?? 2, 'newf'],
      [profile.weak ?? 1, 'weak'],
      [profile.deref ?? 1, 'deref'],
      [profile.link ?? 22, 'link'],
      [5, 'set'],
      [5, 'unlink'],
      [1, 'clear'],
      [5, 'load'],
      [3, 'copy'],
      [profile.drop ?? 9, 'drop'],
      [profile.churn ?? 1, 'churn'],
      [profile.grow ?? 1, 'grow'],
      [4, 'collect'],
      [2, 'snap'],
      [1, 'stats'],
      [1, 'referrers'],
      [1, 'referents'],
    ];
    if (profile.saveall) table.push([2, 'debug'], [1, 'garbage'], [1, 'garbage_clear']);
    if (profile.thresholds) table.push([2, 'threshold'], [1, 'enable'], [1, 'disable']);
    if (profile.freeze) table.push([1, 'freeze'], [1, 'unfreeze']);
    if (profile.legacy !== undefined) table.push([profile.legacy, 'newl']);
    if (profile.deep) table.push([2, 'deepchain']);
    return table;
  }

  #emitOp(name: string): void {
    const random = this.#random;
    const r = (): number => this.#register();
    switch (name) {
      case 'new':
      case 'clear':
      case 'drop':
      case 'referrers':
      case 'referents':
        this.#ops.push([name, r()]);
        break;
      case 'newf':
      case 'newl':
        this.#ops.push([name, r(), this.#finalizerAction()]);
        break;
      case 'weak': {
        const action = Number(
          random.weighted([
            [3, '-2'],
            [5, '-1'],
            [this.#profile.cbact ? 4 : 0, '0'],
          ]),
        );
        this.#ops.push([name, r(), r(), action === 0 ? random.below(this.#actionCount) : action]);
        break;
      }
      case 'link':
      case 'copy':
      case 'deref':
        this.#ops.push([name, r(), r()]);
        break;
      case 'set':
        this.#ops.push([name, r(), random.below(4), r()]);
        break;
      case 'unlink':
        this.#ops.push([name, r(), random.below(4)]);
        break;
      case 'load':
        this.#ops.push([name, r(), r(), random.below(4)]);
        break;
      case 'churn':
        this.#ops.push([name, 1 + random.below(40)]);
        break;
      case 'grow':
        this.#ops.push([name, r(), 1 + random.below(30)]);
        break;
      case 'collect':
        this.#ops.push([name, random.below(3)]);
        break;
      case 'debug':
        this.#ops.push([name, random.pick([0, 32, 32])]);
        break;
      case 'threshold':
        this.#ops.push([name, random.pick([0, 1, 2, 5, 10, 30]), random.below(4), random.below(4)]);
        break;
      case 'deepchain':
        this.#deepChain();
        break;
      default:
        this.#ops.push([name]);
    }
  }

  #finalizerAction(): number {
    return this.#profile.finact && this.#random.chance(60)
      ? this.#random.below(this.#actionCount)
      : -1;
  }

  /**
   * Emits a chain that is deeper than the limit of the trashcan. At each level, b owns a, and sometimes a leaf before
   * or after a.
   */
  #deepChain(): void {
    const random = this.#random;
    const [a, b, c] = [this.#register(), this.#register(), this.#register()];
    if (a === b || a === c || b === c) return;
    const ops = this.#ops;
    const { deepact } = this.#profile;
    const leaf = (): void => {
      if (random.chance(70)) {
        const action = deepact && random.chance(15) ? this.#finalizerAction() : -1;
        ops.push(['newf', c, action]);
      } else {
        ops.push(['new', c]);
      }
      ops.push(['link', b, c]);
      if (random.chance(30)) {
        if (random.chance(40)) ops.push(['weak', this.#register(), c, -1]);
        ops.push(['weak', c, c, -1], ['link', b, c]);
      }
      ops.push(['drop', c]);
    };
    ops.push(['new', a]);
    for (let level = 45 + random.below(40); level > 0; level--) {
      ops.push(random.chance(25) ? ['newf', b, this.#finalizerAction()] : ['new', b]);
      if (random.chance(30)) leaf();
      ops.push(['link', b, a]);
      if (random.chance(30)) leaf();
      if (random.chance(6)) ops.push(['link', b, a]);
      if (random.chance(6)) ops.push(['link', b, this.#register()]);
      if (random.chance(12)) {
        const action = deepact ? random.pick([-1, -1, random.below(this.#actionCount)]) : -1;
        ops.push(['weak', c, b, action], ['link', b, c], ['drop', c]);
      }
      ops.push(['copy', a, b]);
    }
    ops.push(['drop', b], ['drop', a]);
  }
}
