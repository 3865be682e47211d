/** What the set algebra takes as the other set: anything with `size`, `has` and `keys`, as JavaScript's own algebra does. */
import { InvalidArgumentError } from '../core/errors.js';

/** A Set, a Map, or another object with `size`, `has` and `keys`. */
export interface SetLike<T> {
  /** How many members there are. */
  readonly size: number;
  /** Whether a value is a member. */
  has(value: unknown): boolean;
  /** Gives the members. */
  keys(): Iterator<T>;
}

/** A set-like object whose members can be iterated. */
export interface CheckedSetLike<T> extends Iterable<T> {
  readonly size: number;
  has(value: unknown): boolean;
}

/**
 * Checks the other set of a set operation.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if it is not set-like.
 */
export function setLike<T>(where: string, other: SetLike<T>): CheckedSetLike<T> {
  const { size, has, keys }: Partial<SetLike<T>> = Object(other);
  const members = Math.trunc(Number(size));
  if (!(members >= 0) || typeof has !== 'function' || typeof keys !== 'function') {
    throw new InvalidArgumentError(
      `${where}: \`other\` must be a Set, a Map, or an object with a size of 0 or more, has() and keys().`,
    );
  }
  return {
    size: members,
    has: (value) => Reflect.apply(has, other, [value]),
    [Symbol.iterator]: () => Reflect.apply(keys, other, []),
  };
}
