/**
 * Heap programs: small scripts over root registers, and what a heap does while it runs one. The same programs run on CPython
 * itself, so that every count, every event and every list order can be compared.
 */
import { InvalidArgumentError } from '../core/errors.js';
import type { Handle } from './handle.js';
import { Heap, type WeakCallback } from './heap.js';
import { FINALIZABLE, LEGACY, PLAIN, WEAK } from './node-store.js';

/** One operation: its name, then numbers: registers, places, sizes. */
export type HeapOp = readonly [name: string, ...operands: number[]];

/** A script for {@link runHeapProgram}. */
export interface HeapProgram {
  /** Its name. */
  readonly name: string;
  /**
   * How many root registers there are.
   *
   * @defaultValue 16
   */
  readonly regs?: number;
  /**
   * Whether allocations may collect.
   *
   * @defaultValue true
   */
  readonly enabled?: boolean;
  /**
   * The collector's thresholds.
   *
   * @defaultValue [700, 10, 10]
   */
  readonly threshold?: readonly [number, number, number];
  /**
   * How many weak references a node may have.
   *
   * @defaultValue 8
   */
  readonly maxWeak?: number;
  /** What finalizers and callbacks do, by number. */
  readonly actions?: readonly (readonly HeapOp[])[];
  /** What the program does. */
  readonly ops: readonly HeapOp[];
}

/** An event: a letter or a word, then what it tells. */
export type HeapProgramEvent = readonly [string, ...unknown[]];

/** What a heap did while it ran a program. */
export interface HeapObservation {
  /** The program's name. */
  readonly name: string;
  /** For each operation: its number, the events during it in order, and the collector's counts after it. */
  readonly obs: readonly {
    /** The operation's number, from 0. */
    readonly op: number;
    /** What happened during it, in order. */
    readonly ev: readonly HeapProgramEvent[];
    /** The collector's counts after it. */
    readonly n: readonly [number, number, number];
  }[];
}

/**
 * Runs a heap program on a fresh heap and returns what could be observed, in the form in which the CPython oracle tells it.
 *
 * @example
 * ```ts
 * import { runHeapProgram } from 'tenure/gc';
 *
 * const { obs } = runHeapProgram({
 *   name: 'a list that contains itself',
 *   ops: [['new', 0], ['link', 0, 0], ['drop', 0], ['collect', 2]],
 * });
 * obs[3]; // => { op: 3, ev: [['S', 2], ['E', 2, 1, 0], ['R', 1]], n: [0, 0, 0] }
 * ```
 */
export function runHeapProgram(program: HeapProgram): HeapObservation {
  return new ProgramRun(program).run();
}

class ProgramRun {
  readonly #program: HeapProgram;
  readonly #heap: Heap;
  readonly #registers: (Handle | null)[];
  /** The serial number of each node. */
  readonly #serials = new Map<Handle, number>();
  readonly #kinds = new Map<Handle, number>();
  #nextSerial = 0;
  #events: HeapProgramEvent[] = [];

  constructor(program: HeapProgram) {
    this.#program = program;
    this.#heap = new Heap({
      thresholds: program.threshold ?? [700, 10, 10],
      clock: TIMELESS,
    });
    this.#registers = new Array<Handle | null>(program.regs ?? 16).fill(null);
    if (program.enabled === false) this.#heap.gc.disable();
    this.#heap.gc.callbacks.push((phase, { generation, collected, uncollectable }) => {
      if (phase === 'start') this.#events.push(['S', generation]);
      else this.#events.push(['E', generation, collected, uncollectable]);
    });
  }

  run(): HeapObservation {
    const obs = this.#program.ops.map((op, number) => {
      this.#events = [];
      this.#execute(op, null);
      return { op: number, ev: this.#events, n: this.#heap.gc.getCount() };
    });
    return { name: this.#program.name, obs };
  }

  #execute(op: HeapOp, self: Handle | null): void {
    const [name, a = 0, b = 0, c = 0] = op;
    const operation = OPERATIONS[name];
    if (operation === undefined)
      throw new InvalidArgumentError(`heap program: unknown op "${name}".`);
    operation(this, a, b, c, self);
  }

  get heap(): Heap {
    return this.#heap;
  }

  get registerCount(): number {
    return this.#registers.length;
  }

  emit(...event: [string, ...unknown[]]): void {
    this.#events.push(event);
  }

  register(number: number): Handle | null {
    return this.#registers[number] ?? null;
  }

  /** The register's node, if it can have edges. */
  node(number: number): Handle | null {
    const held = this.register(number);
    return held === null || this.#heap.isWeak(held) ? null : held;
  }

  /** Binds a register: the new value is held before the old one is dropped, which may run anything. */
  bind(number: number, value: Handle | null): void {
    if (value !== null) this.#heap.hold(value);
    const old = this.register(number);
    this.#registers[number] = value;
    if (old !== null) this.#heap.drop(old);
  }

  /** Calls `body` with a temporary reference to the node. */
  holding(node: Handle, body: () => void): void {
    this.#heap.hold(node);
    body();
    this.#heap.drop(node);
  }

  serial(): number {
    return this.#nextSerial++;
  }

  idOf(node: Handle | null): number {
    return node === null ? -1 : (this.#serials.get(node) as number);
  }

  ids(nodes: readonly Handle[]): number[] {
    return nodes.map((node) => this.idOf(node));
  }

  /** Enters a fresh node, which the caller holds, under a serial number. */
  named(node: Handle, serial: number): Handle {
    this.#serials.set(node, serial);
    return node;
  }

  allocate(register: number, kind: number, action: number): void {
    this.bind(register, null);
    const serial = this.serial();
    const letter = kind === LEGACY ? 'L' : 'F';
    const node =
      kind === PLAIN
        ? this.#heap.alloc()
        : this.#heap.alloc({
            legacy: kind === LEGACY,
            finalizer: (self) => {
              this.emit(letter, serial);
              this.#act(action, self);
            },
          });
    this.#kinds.set(node, kind);
    this.bind(register, this.named(node, serial));
    this.#heap.drop(node);
  }

  kindOf(node: Handle): number {
    return this.#heap.isWeak(node) ? WEAK : (this.#kinds.get(node) ?? PLAIN);
  }

  /** The callback of a weak reference; `undefined` for an action of -2. */
  callback(serial: number, action: number): WeakCallback | undefined {
    if (action < -1) return undefined;
    return (weak) => {
      this.emit('C', serial);
      this.#act(action, weak);
    };
  }

  get maxWeak(): number {
    return this.#program.maxWeak ?? 8;
  }

  #act(action: number, self: Handle): void {
    if (action < 0) return;
    for (const op of this.#program.actions?.[action] ?? []) this.#execute(op, self);
  }
}

type Operation = (run: ProgramRun, a: number, b: number, c: number, self: Handle | null) => void;

const OPERATIONS: Readonly<Record<string, Operation>> = {
  new: (run, r) => run.allocate(r, PLAIN, -1),
  newf: (run, r, action) => run.allocate(r, FINALIZABLE, action),
  newl: (run, r, action) => run.allocate(r, LEGACY, action),
  weak(run, r, t, action) {
    const target = run.node(t);
    if (target === null || run.heap.weakrefs(target).length >= run.maxWeak) return;
    run.holding(target, () => {
      run.bind(r, null);
      const serial = run.serial();
      const weak = run.heap.unsharedWeakref(target, run.callback(serial, action));
      run.bind(r, run.named(weak, serial));
      run.heap.drop(weak);
    });
  },
  deref(run, r, w) {
    const weak = run.register(w);
    if (weak === null || !run.heap.isWeak(weak)) return;
    run.holding(weak, () => {
      const target = run.heap.deref(weak);
      run.emit('D', run.idOf(target));
      if (target === null) run.bind(r, null);
      else run.holding(target, () => run.bind(r, target));
    });
  },
  link(run, a, b) {
    const source = run.node(a);
    const target = run.register(b);
    if (source !== null && target !== null) run.heap.link(source, target);
  },
  set(run, a, i, b) {
    const source = run.node(a);
    const target = run.register(b);
    if (source === null || target === null || run.heap.edgeCount(source) === 0) return;
    run.heap.hold(source);
    run.heap.hold(target);
    run.heap.set(source, i % run.heap.edgeCount(source), target);
    run.heap.drop(source);
    run.heap.drop(target);
  },
  unlink(run, a, i) {
    const source = run.node(a);
    if (source === null || run.heap.edgeCount(source) === 0) return;
    run.holding(source, () => run.heap.unlink(source, i % run.heap.edgeCount(source)));
  },
  clear(run, a) {
    const source = run.node(a);
    if (source !== null) run.holding(source, () => run.heap.clear(source));
  },
  load(run, r, a, i) {
    const source = run.node(a);
    if (source === null || run.heap.edgeCount(source) === 0) return;
    run.holding(source, () => {
      const target = run.heap.edgeAt(source, i % run.heap.edgeCount(source));
      run.holding(target, () => run.bind(r, target));
    });
  },
  copy: (run, r, s) => run.bind(r, run.register(s)),
  drop: (run, r) => run.bind(r, null),
  grow(run, a, n) {
    const source = run.node(a);
    if (source === null) return;
    run.holding(source, () => {
      for (let i = 0; i < n; i++) {
        const serial = run.serial();
        const node = run.named(run.heap.alloc(), serial);
        run.heap.link(source, node);
        run.heap.drop(node);
      }
    });
  },
  churn(run, n) {
    for (let i = 0; i < n; i++) {
      const serial = run.serial();
      run.heap.drop(run.named(run.heap.alloc(), serial));
    }
  },
  collect: (run, g) => run.emit('R', run.heap.gc.collect(g as 0 | 1 | 2)),
  enable: (run) => run.heap.gc.enable(),
  disable: (run) => run.heap.gc.disable(),
  threshold: (run, a, b, c) => run.heap.gc.setThreshold(a, b, c),
  debug: (run, flags) => run.heap.gc.setDebug(flags),
  freeze: (run) => run.heap.gc.freeze(),
  unfreeze: (run) => run.heap.gc.unfreeze(),
  garbage_clear: (run) => run.heap.gc.garbage.clear(),
  garbage: (run) => run.emit('garbage', run.ids([...run.heap.gc.garbage])),
  stats: (run) =>
    run.emit(
      'stats',
      run.heap.gc
        .getStats()
        .map(({ collections, collected, uncollectable }) => [
          collections,
          collected,
          uncollectable,
        ]),
    ),
  snap: (run) => run.emit('snap', snapshot(run)),
  referrers(run, r) {
    const node = run.register(r);
    if (node !== null) run.emit('referrers', run.ids(run.heap.gc.getReferrers(node)));
  },
  referents(run, r) {
    const node = run.register(r);
    if (node !== null) run.emit('referents', run.ids(run.heap.gc.getReferents(node)));
  },
  self_reg: (run, r, _b, _c, self) => run.bind(r, self),
  self_unreg(run, _a, _b, _c, self) {
    for (let r = 0; r < run.registerCount; r++) if (run.register(r) === self) run.bind(r, null);
  },
  self_link(run, a, _b, _c, self) {
    const source = run.node(a);
    if (source !== null && self !== null) run.heap.link(source, self);
  },
  self_add(run, b, _b, _c, self) {
    const target = run.register(b);
    if (target !== null && self !== null && !run.heap.isWeak(self)) run.heap.link(self, target);
  },
  self_clear(run, _a, _b, _c, self) {
    if (self !== null && !run.heap.isWeak(self)) run.heap.clear(self);
  },
  self_load(run, r, i, _c, self) {
    if (self === null || run.heap.edgeCount(self) === 0) return;
    const target = run.heap.edgeAt(self, i % run.heap.edgeCount(self));
    run.holding(target, () => run.bind(r, target));
  },
};

function snapshot(run: ProgramRun): unknown {
  const { heap } = run;
  const { gc } = heap;
  const describe = (node: Handle): unknown[] => {
    const edges = heap.isWeak(node) ? [run.idOf(heap.deref(node))] : run.ids(heap.edges(node));
    const finalized = gc.isFinalized(node) ? 1 : 0;
    return [run.idOf(node), heap.refcount(node), finalized, run.kindOf(node), edges];
  };
  const { total, pending } = heap.stats.longLived;
  return {
    gens: ([0, 1, 2] as const).map((generation) => gc.getObjects(generation).map(describe)),
    frozen: gc.getFreezeCount(),
    longLived: [total, pending],
    regs: Array.from({ length: run.registerCount }, (_, r) => run.idOf(run.register(r))),
  };
}

/** Pauses are no part of an observation. */
const TIMELESS = { now: () => 0 };
