/**
 * Finalizers, after `weakref.finalize` of Python. A finalizer runs a callback once: when its target has been collected, when
 * the finalizer is called, or when the process ends, whichever comes first.
 *
 * The registry holds what a finalizer needs, and the target holds nothing. So a caller need not keep the finalizer, and it
 * cannot be part of a cycle:
 *
 * ```
 *   registry ──▶ list of one target ──▶ record f1 ⇄ record f2 ──▶ fn, args         ┄┄▶ weak
 *      ┊                                                  ┊
 *      └┄┄┄┄┄┄┄┄┄┄┄┄┄┄▶ target ◀┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┘
 * ```
 *
 * V8 promises no order for the registrations of one target. A target is therefore registered once, with the list of its
 * records. The records run newest first, so that what was set up last is torn down first.
 */

import { InvalidArgumentError } from '../core/errors.js';
import { guardedCall } from '../core/guarded-call.js';
import { type Linked, LinkedList } from '../core/linked-list.js';
import { aFunction, checkArgument } from '../core/options.js';
import { cancelAtExit, type ExitTask, runAtExit } from './exit-queue.js';
import { aWeakKey } from './weak-key.js';

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
export interface Finalizer<T extends WeakKey, A extends unknown[], R> {
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
}

/** The record of a finalizer. It drops its call when it ends, so that an ended finalizer holds nothing. */
class FinalizerRecord implements Linked<FinalizerRecord>, ExitTask {
  previous: FinalizerRecord | null = null;
  next: FinalizerRecord | null = null;
  readonly birth: number = births++;
  readonly target: WeakRef<WeakKey>;
  readonly siblings: LinkedList<FinalizerRecord>;
  call: { readonly fn: (...args: never[]) => unknown; readonly args: unknown[] } | undefined;
  atexit = false;

  constructor(
    target: WeakKey,
    siblings: LinkedList<FinalizerRecord>,
    call: NonNullable<FinalizerRecord['call']>,
  ) {
    this.target = new WeakRef(target);
    this.siblings = siblings;
    this.call = call;
    siblings.append(this);
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

  /** Ends the finalizer without making its call. */
  retire(): void {
    this.setAtexit(false);
    this.call = undefined;
    this.siblings.remove(this);
  }

  run(): unknown {
    const call = this.call;
    if (call === undefined) return undefined;
    this.retire();
    return Reflect.apply(call.fn, undefined, call.args);
  }
}

let births = 0;

const recordsOf = new WeakMap<WeakKey, LinkedList<FinalizerRecord>>();

const deaths = new FinalizationRegistry<LinkedList<FinalizerRecord>>((records) => {
  for (let record = records.last; record !== null; record = records.last) {
    const newest = record;
    guardedCall('a finalizer', () => newest.run());
  }
});

/**
 * Calls `fn(...args)` once, and gives the finalizer, which the caller need not keep. The call is made
 *
 * - some turns of the event loop after V8 has collected `target`,
 * - when the finalizer is called, or
 * - when the process ends, unless `atexit` of the finalizer is `false`.
 *
 * Several finalizers of one target run newest first, and so do the finalizers that are left at exit.
 *
 * Neither `fn` nor `args` may reach `target`, or V8 never collects it: pass the file descriptor and not the file. V8 does not
 * promise when it collects. Use this besides `using`, not instead of it.
 *
 * If V8 or the exit makes the call, an error or a rejection of `fn` is printed with `console.error`. Asynchronous work does
 * not finish at exit. A process that a signal ends runs no finalizer, and a browser has no exit.
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
  checkArgument('finalize', 'target', target, aWeakKey);
  checkArgument('finalize', 'fn', fn, aFunction);
  if ((fn as unknown) === target || args.includes(target)) {
    throw new InvalidArgumentError(
      'finalize: `fn` and its arguments must not be the target, which could then never be collected. Hand over what the clean-up needs instead.',
    );
  }
  const record = new FinalizerRecord(target, recordsFor(target), { fn, args });
  record.setAtexit(true);
  return finalizerOf<T, A, R>(record);
}

function recordsFor(target: WeakKey): LinkedList<FinalizerRecord> {
  let records = recordsOf.get(target);
  if (records === undefined) {
    records = new LinkedList();
    recordsOf.set(target, records);
    deaths.register(target, records);
  }
  return records;
}

/** The key of a finalizer's record. */
const recordOf = Symbol('record');

interface RecordHolder {
  [recordOf]: FinalizerRecord;
}

/** The prototype of all finalizers. Accessors on each finalizer would cost more than all the rest of it. */
const finalizerPrototype: object = Object.create(Function.prototype, {
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
      if (call !== undefined) record.retire();
      return call;
    },
  },
});

function finalizerOf<T extends WeakKey, A extends unknown[], R>(
  record: FinalizerRecord,
): Finalizer<T, A, R> {
  const finalizer = (() => record.run()) as (() => unknown) & RecordHolder;
  finalizer[recordOf] = record;
  return Object.setPrototypeOf(finalizer, finalizerPrototype);
}
