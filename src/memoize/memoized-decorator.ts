/**
 * The decorator for methods and getters. It follows the stage-3 proposal (TypeScript ≥ 5.0 without `experimentalDecorators`), and
 * serves as a legacy decorator, too (`experimentalDecorators`, as Nest needs it).
 *
 * Each instance has a cache of its own, so an instance cannot evict another's results. The cache is made at the first call. The
 * instance holds it, so its results may refer to the instance. It allocates nothing before it has entries. An inherited method has
 * one cache per instance. A decorated method that overrides another decorated method has its own cache; a call of `super` uses the
 * other one.
 */
import { InvalidArgumentError } from '../core/errors.js';
import { hiddenField } from '../core/hidden-field.js';
import { isObject } from '../core/is-object.js';
import { checkArgument, type OptionCheck } from '../core/options.js';
import type { AnyFn, Callable } from './any-fn.js';
import { callThrough } from './fast-call.js';
import { MemoCache } from './memo-cache.js';
import { memoizedFunction } from './memoize.js';
import {
  copiedMemoizeOptions,
  type MemoizeOptions,
  resolveMemoizeOptions,
} from './memoize-options.js';
import type { Memoized } from './memoized.js';

/** The decorator for methods and getters that `memoized` returns. */
export interface MemoizedDecorator<F extends AnyFn> {
  <This extends object, M extends F>(method: M, context: ClassMethodDecoratorContext<This>): M;
  <This extends object, V>(
    getter: (this: This) => V,
    context: ClassGetterDecoratorContext<This, V>,
  ): (this: This) => V;
  /** As a legacy decorator, for a method or a getter. */
  <V>(
    target: object,
    name: string | symbol,
    descriptor: TypedPropertyDescriptor<V>,
  ): TypedPropertyDescriptor<V>;
}

/** The cache of one instance, and the fastest way into it. */
interface InstanceCache {
  readonly cache: MemoCache;
  readonly call: Callable;
}

const REFUSED = { shared: 'To share, memoize a function that takes the id of the instance.' };

/** For each decorated function: gives the cache of an instance, made if it has none. */
const cacheFinders = new WeakMap<WeakKey, (instance: object) => InstanceCache>();

/**
 * Gives a method or a getter a cache for each instance.
 *
 * The options are those of `memoize`. For callbacks with typed arguments, name the method's type:
 * `@memoized<Shop['price']>({ key: (item) => item.id })`. {@link cacheOf} gives the cache of an instance.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option, or if it decorates
 * neither a method nor a getter.
 *
 * @example
 * ```ts
 * import { cacheOf, memoized } from 'tenure/memoize';
 *
 * class Shop {
 *   lookups = 0;
 *   @memoized({ max: 100 })
 *   price(item: string): number {
 *     this.lookups++;
 *     return item.length;
 *   }
 * }
 * const shop = new Shop();
 * [shop.price('tea'), shop.price('tea'), shop.lookups]; // => [3, 3, 1]
 * cacheOf(shop, 'price').delete('tea'); // => true
 * new Shop().price('tea'); // => 3
 * ```
 */
export function memoized<F extends AnyFn = AnyFn>(
  options: MemoizeOptions<F> = {},
): MemoizedDecorator<F> {
  const given = copiedMemoizeOptions('memoized', options, REFUSED);
  function decorate(
    method: AnyFn,
    context: DecoratorContext | string | symbol,
    descriptor?: PropertyDescriptor,
  ): AnyFn | PropertyDescriptor {
    if (typeof context !== 'object') return decoratedMember(descriptor, given, String(context));
    if (context.kind !== 'method' && context.kind !== 'getter') {
      throw new InvalidArgumentError(
        `memoized: it decorates methods and getters, \`${String(context.name)}\` is a ${context.kind}.`,
      );
    }
    return decorated(method, given, String(context.name));
  }
  return decorate as MemoizedDecorator<F>;
}

/** Decorates a member as a legacy decorator does: gives its descriptor with another function. */
function decoratedMember(
  descriptor: PropertyDescriptor | undefined,
  options: MemoizeOptions<AnyFn>,
  name: string,
): PropertyDescriptor {
  const member = descriptor?.get === undefined ? 'value' : 'get';
  const method: unknown = descriptor?.[member];
  if (typeof method !== 'function') {
    throw new InvalidArgumentError(
      `memoized: it decorates methods and getters, \`${name}\` is neither.`,
    );
  }
  const replacement = decorated(method as AnyFn, options, name);
  copyMetadata(method, replacement);
  return { ...descriptor, [member]: replacement };
}

/** The part of `reflect-metadata` that is used. */
interface MetadataReflect {
  getOwnMetadataKeys?(target: object): unknown[];
  getOwnMetadata?(key: unknown, target: object): unknown;
  defineMetadata?(key: unknown, value: unknown, target: object): void;
}

/** Copies what decorators below have recorded of a method, such as the route of a handler. */
function copyMetadata(from: object, to: object): void {
  const reflect: MetadataReflect = Reflect;
  for (const key of reflect.getOwnMetadataKeys?.(from) ?? []) {
    reflect.defineMetadata?.(key, reflect.getOwnMetadata?.(key, from), to);
  }
}

/**
 * Gives the cache of a decorated method or getter for one instance, with all members of a memoized function. Makes the cache if
 * the method has not been called yet.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if the member is not decorated with {@link memoized}, or `instance`
 * is no object.
 *
 * @example
 * ```ts
 * import { cacheOf, memoized } from 'tenure/memoize';
 *
 * class Circle {
 *   radius = 1;
 *   @memoized()
 *   get area(): number {
 *     return Math.PI * this.radius ** 2;
 *   }
 * }
 * const circle = new Circle();
 * circle.area === circle.area; // => true
 * circle.radius = 0;
 * cacheOf(circle, 'area').clear();
 * circle.area; // => 0
 * ```
 *
 * Within the class the compiler does not know the member of `this`, and takes no private one. Name the type of the method there:
 *
 * ```ts
 * import { cacheOf, memoized } from 'tenure/memoize';
 *
 * class Prices {
 *   readonly stored = new Map([['tea', 3]]);
 *   @memoized()
 *   of(item: string): number | undefined {
 *     return this.stored.get(item);
 *   }
 *   change(item: string, price: number): void {
 *     this.stored.set(item, price);
 *     cacheOf<Prices['of']>(this, 'of').delete(item);
 *   }
 * }
 * const prices = new Prices();
 * prices.of('tea'); // => 3
 * prices.change('tea', 4);
 * prices.of('tea'); // => 4
 * ```
 */
export function cacheOf<F extends AnyFn = never>(
  instance: object,
  name: [F] extends [never] ? never : PropertyKey,
): F & Memoized<F>;
export function cacheOf<T extends object, N extends keyof T>(
  instance: T,
  name: N,
): MemberFunction<T[N]> & Memoized<MemberFunction<T[N]>>;
export function cacheOf(instance: object, name: PropertyKey): Memoized<AnyFn> {
  checkArgument('cacheOf', 'instance', instance, anInstance);
  const { get, value } = descriptorOf(instance, name) ?? {};
  const method: unknown = get ?? value;
  const cacheFor = isObject(method) ? cacheFinders.get(method) : undefined;
  if (cacheFor === undefined) {
    throw new InvalidArgumentError(
      `cacheOf: \`${String(name)}\` is not decorated with \`memoized\`.`,
    );
  }
  const { cache, call } = cacheFor(instance);
  return memoizedFunction(cache, call, cache.fn);
}

const anInstance: OptionCheck = (value) => (isObject(value) ? undefined : 'an object');

/** The type of a decorated member as a function: a method as it is, a getter without arguments. */
export type MemberFunction<M> = M extends AnyFn ? M : () => M;

function decorated(method: AnyFn, options: MemoizeOptions<AnyFn>, name: string): AnyFn {
  const caches = hiddenField<InstanceCache>();
  const settings = resolveMemoizeOptions(method.name, { name, ...options });
  const cacheFor = (receiver: object): InstanceCache => {
    let found = caches.get(receiver);
    if (found === undefined) {
      const { key } = settings;
      const own = key === undefined ? settings : { ...settings, key: key.bind(receiver as never) };
      const cache = new MemoCache(method.bind(receiver as never), own);
      found = { cache, call: callThrough(cache, false) };
      caches.set(receiver, found);
    }
    return found;
  };
  const replacement = {
    [name](this: unknown, ...args: unknown[]): unknown {
      const found = isObject(this) ? caches.get(this) : undefined;
      if (found !== undefined) return found.call(...args);
      // Without an instance there is no cache.
      if (!isObject(this)) return Reflect.apply(method as Callable, this, args);
      return cacheFor(this).call(...args);
    },
  }[name] as AnyFn;
  Object.defineProperty(replacement, 'length', { value: method.length, configurable: true });
  cacheFinders.set(replacement, cacheFor);
  return replacement;
}

function descriptorOf(instance: object, name: PropertyKey): PropertyDescriptor | undefined {
  for (let owner: object | null = instance; owner !== null; owner = Object.getPrototypeOf(owner)) {
    const descriptor = Object.getOwnPropertyDescriptor(owner, name);
    if (descriptor !== undefined) return descriptor;
  }
  return undefined;
}
