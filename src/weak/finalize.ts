/**
 * Finalizers, after `weakref.finalize` of Python. A finalizer runs a callback once: when its target has been collected, when
 * the finalizer is called, or when the process ends, whichever comes first.
 *
 * `core/death-record.ts` holds what a finalizer needs, and the target holds nothing. So a caller need not keep the finalizer,
 * and it cannot be part of a cycle.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { InvalidArgumentError } from '../core/errors.js';
import { guardedCall } from '../core/guarded-call.js';
import { printAs } from '../core/inspect.js';
import { aFunction, checkArgument } from '../core/options.js';
import { aWeakKey } from '../core/weak-key.js';
import { cancelAtExit, type ExitTask, runAtExit } from './exit-queue.js';
import { type Call, PendingCall } from './pending-call.js';

/** The call that a finalizer makes. */
export interface FinalizerCall<T extends WeakKey, A extends unknown[], R> {
  /** The object whose collection runs the callback. */
  readonly target: T;
  /** The callback. */
  readonly fn: (...args: A) => R;
  /** Its arguments. */
  readonly args: A;
}

/** A callback that runs once. Made by {@link finalize}. */
export interface Finalizer<T extends WeakKey, A extends unknown[], R> extends Disposable {
  /** Runs the callback and gives its result. Gives `undefined` if the callback has run or was detached. */
  (): R | undefined;
  /** True until the callback has run or was detached. */
  readonly alive: boolean;
  /**
   * Whether the callback runs when the process ends, if it has not run by then. Setting it is without effect if the
   * finalizer is not alive.
   *
   * @default true
   */
  atexit: boolean;
  /** Gives the call; `undefined` if the callback has run or was detached, or the target has been collected. */
  peek(): FinalizerCall<T, A, R> | undefined;
  /**
   * Gives the call and makes sure that it is never made. Gives `undefined` and changes nothing if the callback has run or was
   * detached, or if the target has been collected: the callback then runs soon.
   */
  detach(): FinalizerCall<T, A, R> | undefined;
  /**
   * Runs the callback, unless it has run or was detached. Throws what the callback throws. The rejection of a promise that it returns
   * is printed with `console.error`.
   */
  [Symbol.dispose](): void;
}

class FinalizerRecord extends PendingCall implements ExitTask {
  readonly birth: number = births++;
  readonly target: WeakRef<WeakKey>;
  atexit = false;

  constructor(target: WeakKey, call: Call) {
    super(call);
    this.target = new WeakRef(target);
    this.watch(target);
    this.setAtexit(true);
  }

  setAtexit(atexit: boolean): void {
    if (this.call === undefined || atexit === this.atexit) return;
    this.atexit = atexit;
    if (atexit) runAtExit(this);
    else cancelAtExit(this);
  }

  peek(): object | undefined {
    const target = this.target.deref();
    return this.call === undefined || target === undefined ? undefined : { target, ...this.call };
  }

  override take(): Call | undefined {
    this.setAtexit(false);
    return super.take();
  }

  override died(): void {
    guardedCall('a finalizer', () => this.run());
  }
}

let births = 0;

/**
 * Calls `fn(...args)` once, and gives the finalizer, which the caller need not keep. The call is made
 *
 * - some turns of the event loop after V8 has collected `target`,
 * - when the finalizer is called or disposed of, or
 * - when the process ends, unless `atexit` of the finalizer is `false`.
 *
 * Several finalizers of one target run newest first, and so do the finalizers that are left at exit.
 *
 * Neither `fn` nor `args` may reach `target`, or V8 never collects it: pass the file descriptor and not the file. Prove it in a
 * test with {@link wasCollected}. V8 does not promise when it collects. Use this besides `using`, not instead of it.
 *
 * If V8 or the exit makes the call, an error or a rejection of `fn` is printed with `console.error`. Asynchronous work does
 * not finish at exit. A process that a signal ends runs no finalizer, and a browser has no exit. A call that V8 makes runs
 * outside of any async context: an AsyncLocalStorage gives `undefined`.
 *
 * O(1), some microseconds.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if `target` cannot be referred to weakly, if `fn` is no
 * function, or if `target` is `fn` or one of `args`.
 *
 * @example
 * ```ts
 * import { finalize } from 'tenure/weak';
 *
 * const closed: number[] = [];
 * const file = { descriptor: 7 };
 * const close = finalize(file, (descriptor: number) => closed.push(descriptor), 7);
 * close.alive; // => true
 * close.peek()?.args; // => [7]
 * close(); // => 1
 * close(); // => undefined
 * close.alive; // => false
 * closed; // => [7]
 * ```
 */
export function finalize<T extends WeakKey, A extends unknown[], R>(
  target: T,
  fn: (...args: A) => R,
  ...args: A
): Finalizer<T, A, R> {
  checkTarget('finalize', target, fn, args);
  const record = new FinalizerRecord(target, { fn, args });
  const finalizer = (() => record.run()) as (() => unknown) & RecordHolder;
  Object.defineProperty(finalizer, recordOf, { value: record });
  return Object.setPrototypeOf(finalizer, finalizerPrototype);
}

/**
 * Checks the arguments of a function that makes a call when `target` dies.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if one is malformed, or if the call holds the target.
 */
export function checkTarget(
  where: string,
  target: unknown,
  fn: unknown,
  args: readonly unknown[],
): void {
  checkArgument(where, 'target', target, aWeakKey);
  checkArgument(where, 'fn', fn, aFunction);
  if (fn === target || args.includes(target)) {
    throw new InvalidArgumentError(
      `${where}: \`fn\` and its arguments must not be the target, which could then never be collected. Hand over what the clean-up needs instead.`,
    );
  }
}

/** The key of a finalizer's record. */
const recordOf = Symbol('record');

interface RecordHolder {
  readonly [recordOf]: FinalizerRecord;
}

/** The prototype of all finalizers. Accessors on each finalizer would cost more than all the rest of it. */
const finalizerPrototype: RecordHolder = Object.create(Function.prototype, {
  alive: {
    get(this: RecordHolder): boolean {
      return this[recordOf].call !== undefined;
    },
  },
  atexit: {
    get(this: RecordHolder): boolean {
      return this[recordOf].atexit;
    },
    set(this: RecordHolder, atexit: boolean) {
      this[recordOf].setAtexit(Boolean(atexit));
    },
  },
  peek: {
    value(this: RecordHolder): unknown {
      return this[recordOf].peek();
    },
  },
  detach: {
    value(this: RecordHolder): unknown {
      const record = this[recordOf];
      const call = record.peek();
      if (call !== undefined) record.take();
      return call;
    },
  },
  [Symbol.dispose]: {
    value(this: RecordHolder): void {
      const result = this[recordOf].run();
      void guardedCall('a finalizer', () => result); // No caller gets a promise of it.
    },
  },
});

printAs(finalizerPrototype, ({ [recordOf]: { call, atexit } }, show) =>
  call === undefined
    ? 'Finalizer { alive: false }'
    : `Finalizer { alive: true, atexit: ${atexit}, fn: ${show(call.fn)}, args: ${show(call.args)} }`,
);
