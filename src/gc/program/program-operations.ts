/**
 * Operations of heap programs. Each operation does what one Python statement does, including temporary references. They
 * decide which of two nodes dies first.
 */
import type { Handle } from '../memory/handle.js';
import { FINALIZABLE, LEGACY, PLAIN } from '../memory/node-store.js';
import type { HeapOp, HeapProgram } from './heap-program.js';
import { DEFAULT_REGISTERS, type ProgramMachine } from './program-machine.js';

/** Operation of the language. */
export interface Operation {
  /** Operands of the operation, one letter each. */
  readonly operands: string;
  run(machine: ProgramMachine, a: number, b: number, c: number, self: Handle | null): void;
}

/** Returns the operation of this name, or `undefined`. */
export function operationNamed(name: string): Operation | undefined {
  return Object.hasOwn(OPERATIONS, name) ? OPERATIONS[name] : undefined;
}

/** Returns what is wrong with an operation of a program, or `undefined`. */
export function operandProblem(op: HeapOp, program: HeapProgram): string | undefined {
  const [name, ...values] = Array.isArray(op) ? op : [''];
  const operation = operationNamed(name);
  if (operation === undefined) return `unknown op "${name}"`;
  const { operands } = operation;
  if (values.length !== operands.length) return `"${name}" takes ${operands.length} operands`;
  for (const [i, value] of values.entries()) {
    const [what, least, most] = rangeOf(operands.charAt(i), program);
    if (Number.isInteger(value) && value >= least && value <= most) continue;
    return `operand ${i + 1} must be ${what}, an integer from ${least} to ${most}`;
  }
  return undefined;
}

function rangeOf(
  operand: string,
  program: HeapProgram,
): [what: string, least: number, most: number] {
  const lastAction = (program.actions?.length ?? 0) - 1;
  switch (operand) {
    case 'r':
      return ['a register', 0, (program.regs ?? DEFAULT_REGISTERS) - 1];
    case 'f':
      return ['an action, or -1 for none', -1, lastAction];
    case 'c':
      return ['an action, -1 for none, or -2 for no callback', -2, lastAction];
    case 'g':
      return ['a generation', 0, 2];
    default:
      return ['a number', 0, Number.MAX_SAFE_INTEGER];
  }
}

const OPERATIONS: Readonly<Record<string, Operation>> = {
  new: { operands: 'r', run: (machine, r) => machine.allocate(r, PLAIN, -1) },
  newf: { operands: 'rf', run: (machine, r, action) => machine.allocate(r, FINALIZABLE, action) },
  newl: { operands: 'rf', run: (machine, r, action) => machine.allocate(r, LEGACY, action) },
  weak: {
    operands: 'rrc',
    run(machine, r, t, action) {
      const { heap } = machine;
      const target = machine.node(t);
      if (target === null || heap.weakrefs(target).length >= machine.maxWeak) return;
      machine.withReference(target, () => {
        machine.bind(r, null);
        const serial = machine.nextSerial();
        const weak = heap.unsharedWeakref(target, machine.callback(serial, action));
        machine.bind(r, machine.assignSerial(weak, serial));
        heap.drop(weak);
      });
    },
  },
  deref: {
    operands: 'rr',
    run(machine, r, w) {
      const weak = machine.register(w);
      if (weak === null || !machine.heap.isWeak(weak)) return;
      machine.withReference(weak, () => {
        const target = machine.heap.deref(weak);
        machine.emit('D', machine.idOf(target));
        bindWithReference(machine, r, target);
      });
    },
  },
  link: {
    operands: 'rr',
    run(machine, a, b) {
      const source = machine.node(a);
      const target = machine.register(b);
      if (source !== null && target !== null) machine.heap.link(source, target);
    },
  },
  set: {
    operands: 'rnr',
    run(machine, a, i, b) {
      const { heap } = machine;
      const source = machine.source(a);
      const target = machine.register(b);
      if (source === null || target === null) return;
      heap.hold(source);
      heap.hold(target);
      heap.set(source, i % heap.edgeCount(source), target);
      heap.drop(source);
      heap.drop(target);
    },
  },
  unlink: {
    operands: 'rn',
    run(machine, a, i) {
      const { heap } = machine;
      const source = machine.source(a);
      if (source === null) return;
      machine.withReference(source, () => heap.unlink(source, i % heap.edgeCount(source)));
    },
  },
  clear: {
    operands: 'r',
    run(machine, a) {
      const source = machine.node(a);
      if (source !== null) machine.withReference(source, () => machine.heap.clear(source));
    },
  },
  load: {
    operands: 'rrn',
    run(machine, r, a, i) {
      const source = machine.source(a);
      if (source !== null) machine.withReference(source, () => load(machine, r, source, i));
    },
  },
  copy: {
    operands: 'rr',
    run: (machine, r, s) => bindWithReference(machine, r, machine.register(s)),
  },
  drop: { operands: 'r', run: (machine, r) => machine.bind(r, null) },
  grow: {
    operands: 'rn',
    run(machine, a, n) {
      const { heap } = machine;
      const source = machine.node(a);
      if (source === null) return;
      machine.withReference(source, () => {
        for (let i = 0; i < n; i++) {
          const serial = machine.nextSerial();
          const node = machine.assignSerial(heap.alloc(), serial);
          heap.link(source, node);
          heap.drop(node);
        }
      });
    },
  },
  churn: {
    operands: 'n',
    run(machine, n) {
      for (let i = 0; i < n; i++) {
        const serial = machine.nextSerial();
        machine.heap.drop(machine.assignSerial(machine.heap.alloc(), serial));
      }
    },
  },
  collect: {
    operands: 'g',
    run: (machine, g) => machine.emit('R', machine.heap.gc.collect(g as 0 | 1 | 2)),
  },
  enable: { operands: '', run: (machine) => machine.heap.gc.enable() },
  disable: { operands: '', run: (machine) => machine.heap.gc.disable() },
  threshold: { operands: 'nnn', run: (machine, a, b, c) => machine.heap.gc.setThreshold(a, b, c) },
  debug: { operands: 'n', run: (machine, flags) => machine.heap.gc.setDebug(flags) },
  freeze: { operands: '', run: (machine) => machine.heap.gc.freeze() },
  unfreeze: { operands: '', run: (machine) => machine.heap.gc.unfreeze() },
  garbage_clear: { operands: '', run: (machine) => machine.heap.gc.garbage.clear() },
  garbage: {
    operands: '',
    run: (machine) => machine.emit('garbage', machine.ids([...machine.heap.gc.garbage])),
  },
  stats: {
    operands: '',
    run(machine) {
      const generations = machine.heap.gc.getStats();
      machine.emit(
        'stats',
        generations.map((stats) => [stats.collections, stats.collected, stats.uncollectable]),
      );
    },
  },
  snap: { operands: '', run: (machine) => machine.emit('snap', snapshot(machine)) },
  referrers: {
    operands: 'r',
    run(machine, r) {
      const node = machine.register(r);
      if (node === null) return;
      machine.emit('referrers', machine.ids(machine.heap.gc.getReferrers(node)));
    },
  },
  referents: {
    operands: 'r',
    run(machine, r) {
      const node = machine.register(r);
      if (node === null) return;
      machine.emit('referents', machine.ids(machine.heap.gc.getReferents(node)));
    },
  },
  self_reg: { operands: 'r', run: (machine, r, _b, _c, self) => machine.bind(r, self) },
  self_unreg: {
    operands: '',
    run(machine, _a, _b, _c, self) {
      for (let r = 0; r < machine.registers.length; r++) {
        if (machine.register(r) === self) machine.bind(r, null);
      }
    },
  },
  self_link: {
    operands: 'r',
    run(machine, a, _b, _c, self) {
      const source = machine.node(a);
      if (source !== null && self !== null) machine.heap.link(source, self);
    },
  },
  self_add: {
    operands: 'r',
    run(machine, b, _b, _c, self) {
      const { heap } = machine;
      const target = machine.register(b);
      if (target !== null && self !== null && !heap.isWeak(self)) heap.link(self, target);
    },
  },
  self_clear: {
    operands: '',
    run(machine, _a, _b, _c, self) {
      if (self !== null && !machine.heap.isWeak(self)) machine.heap.clear(self);
    },
  },
  self_load: {
    operands: 'rn',
    run(machine, r, i, _c, self) {
      if (self !== null && machine.heap.edgeCount(self) > 0) load(machine, r, self, i);
    },
  },
};

function load(machine: ProgramMachine, register: number, source: Handle, place: number): void {
  const { heap } = machine;
  bindWithReference(machine, register, heap.edgeAt(source, place % heap.edgeCount(source)));
}

/**
 * Binds a register while it holds a temporary reference to the value. That reference ends after the old value of the
 * register is dropped.
 */
function bindWithReference(machine: ProgramMachine, register: number, value: Handle | null): void {
  if (value === null) machine.bind(register, null);
  else machine.withReference(value, () => machine.bind(register, value));
}

function snapshot(machine: ProgramMachine): unknown {
  const { heap } = machine;
  const { gc } = heap;
  const describe = (node: Handle): unknown[] => [
    machine.idOf(node),
    heap.refcount(node),
    gc.isFinalized(node) ? 1 : 0,
    machine.typeOf(node),
    heap.isWeak(node) ? [machine.idOf(heap.deref(node))] : machine.ids(heap.edges(node)),
  ];
  const { total, pending } = heap.stats().longLived;
  return {
    gens: ([0, 1, 2] as const).map((generation) => gc.getObjects(generation).map(describe)),
    frozen: gc.getFreezeCount(),
    longLived: [total, pending],
    regs: machine.ids(machine.registers),
  };
}
