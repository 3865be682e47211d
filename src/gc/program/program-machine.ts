/** The machine that runs a heap program: a heap, root registers, and serial numbers that identify nodes. */

import { BaseHeap, type WeakCallback } from '../base-heap.js';
import { makeCPythonCollector } from '../collectors/cpython-collector.js';
import type { Handle } from '../memory/handle.js';
import { type FINALIZABLE, LEGACY, PLAIN, WEAK } from '../memory/node-store.js';
import type { HeapOp, HeapProgram, HeapProgramEvent } from './heap-program.js';

/** Runs one operation. In an action, `self` is the node that is being finalized, or the weak reference. */
export type Execute = (machine: ProgramMachine, op: HeapOp, self: Handle | null) => void;

/** Types of the nodes that a program allocates. */
export type NodeType = typeof PLAIN | typeof FINALIZABLE | typeof LEGACY;

/** Default number of registers. */
export const DEFAULT_REGISTERS = 16;

export class ProgramMachine {
  readonly heap: BaseHeap;
  readonly maxWeak: number;
  /** Events of the current operation. */
  events: HeapProgramEvent[] = [];
  readonly #actions: readonly (readonly HeapOp[])[];
  readonly #execute: Execute;
  readonly #registers: (Handle | null)[];
  readonly #serials = new Map<Handle, number>();
  readonly #types = new Map<Handle, NodeType>();
  #nextSerial = 0;

  constructor(program: HeapProgram, execute: Execute) {
    this.heap = new BaseHeap(
      { thresholds: program.threshold ?? [700, 10, 10], clock: FIXED_CLOCK },
      makeCPythonCollector,
    );
    this.maxWeak = program.maxWeak ?? 8;
    this.#actions = program.actions ?? [];
    this.#execute = execute;
    this.#registers = new Array<Handle | null>(program.regs ?? DEFAULT_REGISTERS).fill(null);
    if (program.enabled === false) this.heap.gc.disable();
    this.heap.gc.callbacks.push((phase, { generation, collected, uncollectable }) => {
      if (phase === 'start') this.emit('S', generation);
      else this.emit('E', generation, collected, uncollectable);
    });
  }

  get registers(): readonly (Handle | null)[] {
    return this.#registers;
  }

  emit(...event: [string, ...unknown[]]): void {
    this.events.push(event);
  }

  register(number: number): Handle | null {
    return this.#registers[number] ?? null;
  }

  /** Returns the node in a register, if it can have edges. */
  node(number: number): Handle | null {
    const held = this.register(number);
    return held === null || this.heap.isWeak(held) ? null : held;
  }

  /** Returns the node in a register, if it has edges. */
  source(number: number): Handle | null {
    const node = this.node(number);
    return node === null || this.heap.edgeCount(node) === 0 ? null : node;
  }

  /** Binds a register to a value. Holds the new value before it drops the old one, since a drop may run any code. */
  bind(number: number, value: Handle | null): void {
    if (value !== null) this.heap.hold(value);
    const old = this.register(number);
    this.#registers[number] = value;
    if (old !== null) this.heap.drop(old);
  }

  /** Calls `body` while it holds a temporary reference to the node. */
  withReference(node: Handle, body: () => void): void {
    this.heap.hold(node);
    body();
    this.heap.drop(node);
  }

  /** Allocates a node into a register, which it empties first. */
  allocate(register: number, type: NodeType, action: number): void {
    this.bind(register, null);
    const serial = this.nextSerial();
    const node = type === PLAIN ? this.heap.alloc() : this.#finalizable(type, serial, action);
    this.#types.set(node, type);
    this.bind(register, this.assignSerial(node, serial));
    this.heap.drop(node);
  }

  nextSerial(): number {
    return this.#nextSerial++;
  }

  /** Gives a new node, which the caller holds, its serial number. */
  assignSerial(node: Handle, serial: number): Handle {
    this.#serials.set(node, serial);
    return node;
  }

  idOf(node: Handle | null): number {
    return node === null ? -1 : (this.#serials.get(node) as number);
  }

  ids(nodes: readonly (Handle | null)[]): number[] {
    return nodes.map((node) => this.idOf(node));
  }

  typeOf(node: Handle): number {
    return this.heap.isWeak(node) ? WEAK : (this.#types.get(node) ?? PLAIN);
  }

  /** Returns the callback of a weak reference, or `undefined` for the action -2. */
  callback(serial: number, action: number): WeakCallback | undefined {
    if (action < -1) return undefined;
    return (weak) => {
      this.emit('C', serial);
      this.#act(action, weak);
    };
  }

  #finalizable(type: NodeType, serial: number, action: number): Handle {
    const legacy = type === LEGACY;
    return this.heap.alloc({
      legacy,
      finalizer: (self) => {
        this.emit(legacy ? 'L' : 'F', serial);
        this.#act(action, self);
      },
    });
  }

  #act(action: number, self: Handle): void {
    for (const op of this.#actions[action] ?? []) this.#execute(this, op, self);
  }
}

/** Clock that stands still, since pauses are not part of an observation. */
const FIXED_CLOCK = { now: () => 0 };
