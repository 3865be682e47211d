/**
 * Weak references with a death callback, after `weakref.ref` of Python:
 *
 * - A reference without a callback is made once per target and shared, since nothing can tell two of them apart.
 * - The callback belongs to the reference. Drop the reference, and the callback is never called; if reference and target
 *   are collected together, it is not called either.
 *
 * ```
 *   caller ──▶ Ref ──▶ onDeath          deaths (registry) ┄┄▶ Ref        ┄┄▶ weak
 *               ┊                            ┊
 *               └┄┄┄┄┄┄┄┄┄▶ target ◀┄┄┄┄┄┄┄┄┄┘
 * ```
 *
 * The registry holds the Ref weakly, hence the callback too. What would stay behind on a target that outlives many
 * dropped references is one registration each; a second registry, on the references, takes those back.
 */
import { aFunction, checkArgument } from '../core/options.js';
import { runUnattended } from './run-unattended.js';
import { aWeakKey } from './weak-key.js';

/** A reference that does not keep its target alive. Made by {@link ref}. */
export class Ref<T extends WeakKey> {
  readonly #target: WeakRef<T>;
  #onDeath: ((ref: Ref<T>) => void) | undefined;

  /** @internal */
  constructor(target: T, onDeath: ((ref: Ref<T>) => void) | undefined) {
    this.#target = new WeakRef(target);
    this.#onDeath = onDeath;
  }

  /**
   * The target, or `undefined` once V8 has collected it. A target that was returned stays alive until the current turn
   * of the event loop ends.
   */
  deref(): T | undefined {
    return this.#target.deref();
  }

  /** @internal */
  died(): void {
    const onDeath = this.#onDeath;
    this.#onDeath = undefined;
    if (onDeath !== undefined) {
      runUnattended('the onDeath callback of a ref', () => onDeath(this));
    }
  }
}

/** Both the held value and the token by which a registration is taken back. */
type Registration = WeakRef<Ref<WeakKey>>;

const shared = new WeakMap<WeakKey, Ref<WeakKey>>();

const deaths = new FinalizationRegistry<Registration>((registration) => {
  registration.deref()?.died();
});

const droppedRefs = new FinalizationRegistry<Registration>((registration) => {
  deaths.unregister(registration);
});

/**
 * Gives a weak reference to `target`. Without `onDeath` it is the same one each time for the same target.
 *
 * `onDeath` is called once with the reference, some turns after the target was collected, if the reference is still held
 * by then: keep it. It must not reach the target itself, which would then never die. What it throws is printed with
 * `console.error`. V8 promises no callback at exit, nor soon; it is for caches and diagnostics, not for correctness.
 *
 * O(1): about a microsecond, and less for a reference that is there already.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if nothing can refer to `target` weakly (a number, a
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
