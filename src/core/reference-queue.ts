/**
 * Phantom references and the queue in which they arrive, as in Java. They tell that an object is gone for good, and never lead to
 * it. So they can neither keep it alive nor bring it back. The owner of the queue decides when it acts: no callback runs in
 * the middle of other work.
 *
 * | | weak reference | phantom reference |
 * |---|---|---|
 * | leads to its target | while that lives | never |
 * | tells of the death | by a callback, when the target begins to die | through a queue, when it is gone |
 * | a finalizer can bring the target back afterwards | in a simulated heap: yes | no |
 *
 * The targets are objects, whose deaths V8 tells, or nodes of a simulated heap. The two classes need each other's type, so they
 * share a file.
 */

import { abortReason } from './abort-reason.js';
import { instanceOf } from './class-name.js';
import { DeathRecord } from './death-record.js';
import { Deque } from './deque.js';
import { InvalidArgumentError } from './errors.js';
import { type Linked, LinkedList } from './linked-list.js';
import {
  anAbortSignal,
  checkArgument,
  checkOptions,
  type OptionCheck,
  type OptionChecks,
} from './options.js';
import { SignalListeners } from './signal-listeners.js';
import { aWeakKey } from './weak-key.js';

/** Options of {@link ReferenceQueue.take}. */
export interface TakeOptions {
  /** Ends the wait when it aborts. @default none */
  readonly signal?: AbortSignal | undefined;
}

const TAKE_CHECKS: OptionChecks<TakeOptions> = { signal: anAbortSignal };

/** A caller that waits for the next reference. */
class Taker<T> implements Linked<Taker<T>> {
  previous: Taker<T> | null = null;
  next: Taker<T> | null = null;
  readonly resolve: (reference: PhantomReference<T> | undefined) => void;
  readonly reject: (reason: unknown) => void;
  readonly signal: AbortSignal | undefined;

  constructor(
    resolve: Taker<T>['resolve'],
    reject: Taker<T>['reject'],
    signal: AbortSignal | undefined,
  ) {
    this.resolve = resolve;
    this.reject = reject;
    this.signal = signal;
  }
}

/**
 * A queue of {@link PhantomReference}s. A reference is put in when its target is gone, and its owner takes it out when it
 * suits. `T` is the type of the references' tags.
 *
 * @example
 * ```ts
 * import { Heap, ReferenceQueue } from 'tenure/gc';
 *
 * const heap = new Heap();
 * const freed = new ReferenceQueue<string>();
 * const file = heap.alloc({ kind: 'file' });
 * heap.phantom(file, freed, '/tmp/1');
 * freed.poll(); // => undefined
 * heap.drop(file);
 * freed.poll()?.tag; // => '/tmp/1'
 * freed.length; // => 0
 * ```
 */
export class ReferenceQueue<T = unknown> {
  readonly #references: Deque<PhantomReference<T>> = new Deque();
  readonly #takers = new LinkedList<Taker<T>>();
  readonly #signals = new SignalListeners<Taker<T>>((taker, reason) => {
    this.#remove(taker);
    taker.reject(reason);
  });

  /** How many references are in the queue. */
  get length(): number {
    return this.#references.length;
  }

  /** Removes and gives the reference whose target was gone first; `undefined` if the queue is empty. O(1). */
  poll(): PhantomReference<T> | undefined {
    return this.#references.shift();
  }

  /**
   * Removes and gives the reference whose target was gone first. If the queue is empty, it waits for the next one. Callers are
   * served in the order in which they came. A wait does not keep the process alive. O(1).
   *
   * Rejects with the reason of `signal` if that aborts first; no reference is lost then. Rejects with
   * {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option.
   *
   * @example
   * ```ts
   * import { Heap, ReferenceQueue } from 'tenure/gc';
   *
   * const heap = new Heap();
   * const freed = new ReferenceQueue<string>();
   * const file = heap.alloc();
   * heap.phantom(file, freed, '/tmp/1');
   * const next = freed.take();
   * heap.drop(file);
   * (await next).tag; // => '/tmp/1'
   * ```
   */
  async take(options: TakeOptions = {}): Promise<PhantomReference<T>> {
    const { signal } = checkOptions<TakeOptions>('ReferenceQueue.take', options, TAKE_CHECKS);
    if (signal?.aborted === true) throw abortReason(signal);
    return (
      this.#references.shift() ??
      new Promise((resolve, reject) => {
        const taker = new Taker<T>(resolve as Taker<T>['resolve'], reject, signal);
        this.#takers.append(taker);
        try {
          if (signal !== undefined) this.#signals.add(signal, taker); // One of another make may call its listener at once.
        } catch (error) {
          this.#takers.remove(taker);
          throw error;
        }
      })
    );
  }

  /** Gives the references in the queue, the first to arrive first, and leaves them there. Nothing may arrive meanwhile. */
  [Symbol.iterator](): IterableIterator<PhantomReference<T>> {
    return this.#references[Symbol.iterator]();
  }

  /**
   * Takes references out as they arrive, without an end. `return()`, which a `break` calls, ends the waits of the iterator.
   *
   * @example
   * ```ts
   * import { Heap, ReferenceQueue } from 'tenure/gc';
   *
   * const heap = new Heap();
   * const freed = new ReferenceQueue<string>();
   * for (const path of ['/tmp/1', '/tmp/2']) {
   *   const file = heap.alloc();
   *   heap.phantom(file, freed, path);
   *   heap.drop(file);
   * }
   * const paths: string[] = [];
   * for await (const { tag } of freed) {
   *   paths.push(tag);
   *   if (paths.length === 2) break;
   * }
   * paths; // => ['/tmp/1', '/tmp/2']
   * ```
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<PhantomReference<T>> {
    const takers = new Set<Taker<T>>();
    let hasEnded = false;
    const next = (): Promise<PhantomReference<T> | undefined> => {
      if (hasEnded) return Promise.resolve(undefined);
      const reference = this.#references.shift();
      if (reference !== undefined) return Promise.resolve(reference);
      return new Promise((resolve, reject) => {
        const taker = new Taker<T>(
          (arrived) => {
            takers.delete(taker);
            resolve(arrived);
          },
          reject,
          undefined,
        );
        takers.add(taker);
        this.#takers.append(taker);
      });
    };
    const iterator: AsyncIterableIterator<PhantomReference<T>> = {
      [Symbol.asyncIterator]: () => iterator,
      next: async () => {
        const value = await next();
        return value === undefined ? { done: true, value } : { done: false, value };
      },
      return: async () => {
        hasEnded = true;
        for (const taker of takers) {
          this.#takers.remove(taker);
          taker.resolve(undefined);
        }
        return { done: true, value: undefined };
      },
    };
    return iterator;
  }

  /** @internal */
  push(reference: PhantomReference<T>): void {
    const taker = this.#takers.first;
    if (taker === null) {
      this.#references.push(reference);
      return;
    }
    this.#remove(taker);
    taker.resolve(reference);
  }

  #remove(taker: Taker<T>): void {
    this.#takers.remove(taker);
    if (taker.signal !== undefined) this.#signals.remove(taker.signal, taker);
  }
}

/** Expects a {@link ReferenceQueue}. */
export const aReferenceQueue: OptionCheck = instanceOf(ReferenceQueue, 'a ReferenceQueue');

/** The last argument of a function that takes a tag; it can be left out if a tag may be `undefined`. */
export type TagArgument<T> = undefined extends T ? [tag?: T] : [tag: T];

/** In place of a target: the owner of a simulated heap enqueues the reference. */
const NO_TARGET: unique symbol = Symbol('no target');

/**
 * A reference that never leads to its target, and is put in a queue, once, when the target is gone. Its `tag` tells what the
 * target was. The caller need not keep the reference: it is held until its target is gone.
 *
 * A reference to a node of a simulated heap is made by `heap.phantom`.
 *
 * @example
 * ```ts
 * import { PhantomReference, ReferenceQueue } from 'tenure/weak';
 *
 * const gone = new ReferenceQueue<string>();
 * const upload = { path: '/tmp/upload-1' };
 * const reference = new PhantomReference(upload, gone, upload.path);
 * reference.get(); // => undefined
 * reference.isEnqueued; // => false
 * reference.enqueue(); // => true
 * gone.poll()?.tag; // => '/tmp/upload-1'
 * ```
 */
export class PhantomReference<T = unknown> {
  /** What the target is known by once it is gone. */
  readonly tag: T;
  #queue: ReferenceQueue<T> | undefined;
  #record: PhantomRecord | undefined = undefined;
  #isEnqueued = false;

  /**
   * Puts the new reference in `queue` some turns after V8 has collected `target`. `tag` must not reach the target, or V8 never
   * collects it. O(1).
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if `target` cannot be referred to weakly, if `queue` is
   * no {@link ReferenceQueue}, or if `tag` is the target.
   */
  constructor(target: WeakKey, queue: ReferenceQueue<T>, ...[tag]: TagArgument<T>) {
    this.#queue = queue;
    this.tag = tag as T;
    if (target === NO_TARGET) return;
    checkArgument('PhantomReference', 'target', target, aWeakKey);
    checkArgument('PhantomReference', 'queue', queue, aReferenceQueue);
    if ((tag as unknown) === target) {
      throw new InvalidArgumentError(
        'PhantomReference: `tag` must not be the target, which could then never be collected. Hand over what the clean-up needs instead.',
      );
    }
    this.#record = new PhantomRecord(() => this.enqueue());
    this.#record.watch(target);
  }

  /** @internal Makes a reference that only {@link enqueue} puts in the queue. */
  static withoutTarget<T>(queue: ReferenceQueue<T>, tag: T): PhantomReference<T> {
    return new PhantomReference<T>(NO_TARGET, queue, ...([tag] as unknown as TagArgument<T>));
  }

  /** Whether the reference was put in its queue. It stays true when the reference is taken out. */
  get isEnqueued(): boolean {
    return this.#isEnqueued;
  }

  /** Gives `undefined`, always: the target cannot be brought back. */
  get(): undefined {
    return undefined;
  }

  /** Makes sure that the reference is never put in its queue. Without effect once it was. O(1). */
  clear(): void {
    this.#queue = undefined;
    this.#record?.unwatch();
    this.#record = undefined;
  }

  /** Puts the reference in its queue now. Gives `false` if it was put there before, or was cleared. O(1). */
  enqueue(): boolean {
    const queue = this.#queue;
    if (queue === undefined) return false;
    this.clear();
    this.#isEnqueued = true;
    queue.push(this);
    return true;
  }
}

class PhantomRecord extends DeathRecord {
  readonly died: () => void;

  constructor(died: () => void) {
    super();
    this.died = died;
  }
}
