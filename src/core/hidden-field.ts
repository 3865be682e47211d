/**
 * Adds private fields to objects that other code has made. No other code can read or list such a field.
 *
 * A `WeakMap` could hold the values, too. But V8 collects young objects more often than old ones, and in those collections a `WeakMap` keeps
 * each value, and its key if the value refers to it. A private field is part of its object, and is also read faster.
 */

/** Its constructor returns the object that it gets, so a subclass adds its private fields to that object. */
class Given {
  constructor(object: object) {
    // biome-ignore lint/correctness/noConstructorReturn: the subclass adds its fields to this object.
    return object;
  }
}

/** A field with a value of type `V`. */
export interface HiddenField<V> {
  /** Gives the object's value; `undefined` if it has none. O(1). */
  get(object: object): V | undefined;
  /** Gives the object a value. O(1). */
  set(object: object, value: V): void;
}

/** Makes a field. An object that is not extensible may refuse a private field, so a `WeakMap` has its value. */
export function hiddenField<V>(): HiddenField<V> {
  const others = new WeakMap<object, V>();
  return class Field extends Given {
    #value: V;

    constructor(object: object, value: V) {
      super(object);
      this.#value = value;
    }

    static get(object: object): V | undefined {
      return #value in object ? object.#value : others.get(object);
    }

    static set(object: object, value: V): void {
      if (#value in object) object.#value = value;
      else if (Object.isExtensible(object)) new Field(object, value);
      else others.set(object, value);
    }
  };
}
