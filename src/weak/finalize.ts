/**
 * Finalizers, after `weakref.finalize` of Python: a callback that runs once, when its target has been collected, when
 * it is called, or when the process ends, whichever comes first.
 *
 * Everything it needs lives in the registry and nothing in the target, so it needs not be kept, and no cycle can arise
 * through it:
 *
 * ```
 *   registry ──▶ list of one target ──▶ record f1 ⇄ record f2 ──▶ fn, args         ┄┄▶ weak
 *      ┊                                                  ┊
 *      └┄┄┄┄┄┄┄┄┄┄┄┄┄┄▶ target ◀┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┘
 * ```
 *
 * V8 calls back for the registrations of one target in no order that it promises. A target is therefore registered
 * once, for the list of its records, which runs newest first: what was set up last is torn down first.
 */
import { InvalidArgumentError } from '../core/errors.js';
import { type Linked, LinkedList } from '../core/linked-list.js';
import { aFunction, checkArgument } from '../core/options.js';
import { cancelAtExit, type ExitTask, runAtExit } from './exit-queue.js';
import { runUnattended } from './run-unattended.js';
import { aWeakKey } from './weak-key.js';

/** What a finalizer would call, and for what. */
export interface FinalizerCall<T extends WeakKey, A extends unknown[], R> {
  /** The object whose death is awaited. */
  readonly target: T;
  /** The callback. */
  readonly fn: (...args: A) => R;
  /** Its arguments. */
  readonly args: A;
}

/** Runs its callback once. Made by {@link finalize}. */
export interface Finalizer<T extends WeakKey, A extends unknown[], R> {
  /** Runs the callback now and gives its result; gives `undefined` if it ran before or was detached. */
  (): R | undefined;
  /** True until the callback has run or was detached. */
  readonly alive: boolean;
  /**
   * Whether the callback is to run when the process ends, if it has not run by then. Setting it on a finalizer that is
   * not alive does nothing.
   *
   * @defaultValue `true`
   */
  atexit: boolean;
  /** What would be called; `undefined` if it ran, was detached, or the target has been collected. */
  peek(): FinalizerCall<T, A, R> | undefined;
  /**
   * Gives up the callback and says what it would have been; `undefined`, and nothing is given up, if it ran, was
   * detached, or the target has been collected, for then the callback is about to run.
   */
  detach(): FinalizerCall<T, A, R> | undefined;
}

/** A finalizer that has not run; what it calls goes when it ends, so that an ended one holds nothing. */
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

  /** Ends its life without a call. */
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
    runUnattended('a finalizer', () => newest.run());
  }
});

/**
 * Calls `fn(...args)` once: some turns after V8 has collected `target`, when the finalizer is called, or when the process
 * ends (unless its `atexit` is set to `false`). Several finalizers of one target, and those left at exit, run newest
 * first. The finalizer need not be kept.
 *
 * Neither `fn` nor `args` may reach `target`, which would then never be collected: hand over what is needed, the file
 * descriptor and not the file. V8 promises nothing about when it collects; this is the net under `using`, not instead
 * of it.
 *
 * When V8 or the exit runs it, what `fn` throws or rejects with is printed with `console.error`; at exit there is no time
 * for anything asynchronous. A process that dies by a signal runs nothing, and a browser has no exit.
 *
 * O(1), some microseconds.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if nothing can refer to `target` weakly, if `fn` is
 * no function, or if one of `fn` and `args` is the target.
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

/** Where a finalizer keeps its record. */
const recordOf = Symbol('record');

interface RecordHolder {
  [recordOf]: FinalizerRecord;
}

/** What all finalizers inherit: defining accessors on each would cost more than all the rest. */
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
