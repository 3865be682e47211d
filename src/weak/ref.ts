/**
 * Weak references with a death callback, after `weakref.ref` of Python:
 *
 * - A reference without a callback is made once per target and shared, since two of them could not be told apart.
 * - The callback belongs to the reference. It is not called for a reference that is collected before its target or with it.
 *
 * ```
 *   caller ──▶ Ref ──▶ onDeath          deaths (registry) ┄┄▶ Ref        ┄┄▶ weak
 *               ┊                            ┊
 *               └┄┄┄┄┄┄┄┄┄▶ target ◀┄┄┄┄┄┄┄┄┄┘
 * ```
 *
 * The registry holds the Ref weakly, and so the callback. Each dropped reference would leave a registration behind on a target
 * that lives on. A second registry, on the references, removes those registrations.
 */
import { guardedCall } from '../core/guarded-call.js';
import { aFunction, checkArgument } from '../core/options.js';
import { aWeakKey } from './weak-key.js';

/** A weak reference: it does not keep its target alive. Made by {@link ref}. */
export class Ref<T extends WeakKey> {
  readonly #target: WeakRef<T>;
  #onDeath: ((ref: Ref<T>) => void) | undefined;

  /** @internal */
  constructor(target: T, onDeath: ((ref: Ref<T>) => void) | undefined) {
    this.#target = new WeakRef(target);
    this.#onDeath = onDeath;
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
}

/** The held value of a registration and also its unregister token. */
type Registration = WeakRef<Ref<WeakKey>>;

const shared = new WeakMap<WeakKey, Ref<WeakKey>>();

const deaths = new FinalizationRegistry<Registration>((registration) => {
  registration.deref()?.died();
});

const droppedRefs = new FinalizationRegistry<Registration>((registration) => {
  deaths.unregister(registration);
});

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

function watched<T extends WeakKey>(made: Ref<T>, target: T): Ref<T> {
  const registration = new WeakRef(made) as unknown as Registration;
  deaths.register(target, registration, registration);
  droppedRefs.register(made, registration);
  return made;
}
