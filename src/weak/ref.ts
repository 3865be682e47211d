/**
 * Weak references with a death callback, after `weakref.ref` of Python:
 *
 * - A reference without a callback is made once per target and shared, since two of them could not be told apart.
 * - The callback belongs to the reference. It is not called for a reference that is collected before its target or with it.
 * - The callbacks of one target are called newest first.
 *
 * ```
 *   caller ──▶ Ref ──▶ onDeath        records of the target ──▶ record ┄┄▶ Ref        ┄┄▶ weak
 *               ┊                              ┊
 *               └┄┄┄┄┄┄┄┄┄▶ target ◀┄┄┄┄┄┄┄┄┄┄┄┘
 * ```
 *
 * A record holds its Ref weakly, and so the callback. Each dropped reference would leave its record behind on a target that lives
 * on. A registry of the references removes those records.
 */
import { DeathRecord, recordsFor } from '../core/death-record.js';
import { DeathRegistry } from '../core/death-registry.js';
import { guardedCall } from '../core/guarded-call.js';
import { printAs } from '../core/inspect.js';
import { aFunction, checkArgument } from '../core/options.js';
import { aWeakKey } from '../core/weak-key.js';

/** A weak reference: it does not keep its target alive. Made by {@link ref}. */
export class Ref<T extends WeakKey> {
  readonly #target: WeakRef<T>;
  #onDeath: ((ref: Ref<T>) => void) | undefined;

  /** @internal */
  constructor(target: T, onDeath: ((ref: Ref<T>) => void) | undefined) {
    this.#target = new WeakRef(target);
    this.#onDeath = onDeath;
  }

  /** The callback; `undefined` if there is none, or once it was called. */
  get onDeath(): ((ref: Ref<T>) => void) | undefined {
    return this.#onDeath;
  }

  /**
   * Gives the target; `undefined` once V8 has collected it. A target that was given stays alive until the current turn of
   * the event loop ends.
   */
  deref(): T | undefined {
    return this.#target.deref();
  }

  /** @internal */
  died(): void {
    const onDeath = this.#onDeath;
    this.#onDeath = undefined;
    if (onDeath !== undefined) {
      guardedCall('the onDeath callback of a ref', () => onDeath(this));
    }
  }

  static {
    printAs(Ref.prototype, (self, show) => {
      const target = self.deref();
      return target === undefined ? 'Ref (dead)' : `Ref (${show(target)})`;
    });
  }
}

/** The record of a reference with a callback. */
class RefRecord extends DeathRecord {
  readonly ref: WeakRef<Ref<WeakKey>>;

  constructor(ref: Ref<WeakKey>) {
    super();
    this.ref = new WeakRef(ref);
  }

  override died(): void {
    this.ref.deref()?.died();
  }
}

const shared = new WeakMap<WeakKey, Ref<WeakKey>>();

const droppedRefs = new DeathRegistry<RefRecord>((record) => record.unwatch());

/**
 * Gives a weak reference to `target`. Without `onDeath`, each call gives the one shared reference to a target.
 *
 * `onDeath` is called once with the reference, some turns of the event loop after V8 has collected the target. The caller has
 * to keep the reference until then. `onDeath` must not reach the target, or V8 never collects it. An error or a rejection of
 * it is printed with `console.error`. V8 promises neither when it calls, nor that it calls at all before the process ends.
 * Use it for caches and diagnostics, not for correctness.
 *
 * O(1): about a microsecond, and less for a shared reference that exists.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if `target` cannot be referred to weakly (a number, a
 * string), or if `onDeath` is no function.
 *
 * @example
 * ```ts
 * import { ref } from 'tenure/weak';
 *
 * const session = { user: 'ada' };
 * ref(session).deref()?.user; // => 'ada'
 * ref(session) === ref(session); // => true
 * const watched = ref(session, () => console.log('the session is gone'));
 * watched === ref(session); // => false
 * ```
 */
export function ref<T extends WeakKey>(target: T, onDeath?: (ref: Ref<T>) => void): Ref<T> {
  checkArgument('ref', 'target', target, aWeakKey);
  if (onDeath !== undefined) {
    checkArgument('ref', 'onDeath', onDeath, aFunction);
    return watched(new Ref(target, onDeath), target);
  }
  const known = shared.get(target) as Ref<T> | undefined;
  if (known !== undefined) return known;
  const made = new Ref<T>(target, undefined);
  shared.set(target, made as unknown as Ref<WeakKey>);
  return made;
}

/**
 * Gives the references to `target` that {@link ref} has made and that live: the shared one first, then those with a callback,
 * the newest first. Their number is Python's `getweakrefcount`. O(references).
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if `target` cannot be referred to weakly.
 *
 * @example
 * ```ts
 * import { ref, refsOf } from 'tenure/weak';
 *
 * const session = { user: 'ada' };
 * refsOf(session); // => []
 * const [plain, watched] = [ref(session), ref(session, () => {})];
 * refsOf(session).length; // => 2
 * refsOf(session)[0] === plain; // => true
 * refsOf(session)[1] === watched; // => true
 * ```
 */
export function refsOf<T extends WeakKey>(target: T): Ref<T>[] {
  checkArgument('refsOf', 'target', target, aWeakKey);
  const first = shared.get(target);
  const others = recordsFor(target).flatMap((record) =>
    record instanceof RefRecord ? (record.ref.deref() ?? []) : [],
  );
  return (first === undefined ? others : [first, ...others]) as unknown as Ref<T>[];
}

function watched<T extends WeakKey>(made: Ref<T>, target: T): Ref<T> {
  const record = new RefRecord(made as unknown as Ref<WeakKey>);
  record.watch(target);
  droppedRefs.register(made, record);
  return made;
}
