/**
 * Fields of foreign objects that nobody else sees. The value lies in the object, as a private field of a class does, and dies with it in any
 * collection. A `WeakMap` keeps a value that refers to its key until V8 collects the old objects, and is slower to read.
 */

/** A constructor gives back the object that it is called with, so the fields of a subclass are added to that object. */
class Given {
  constructor(object: object) {
    // biome-ignore lint/correctness/noConstructorReturn: the fields of the subclass are for this object.
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

/** Makes a field. An object that takes no new properties may refuse one, so its value is in a `WeakMap`. */
export function hiddenField<V>(): HiddenField<V> {
  const others = new WeakMap<object, V>();
  class Field extends Given {
    #value: V;

    constructor(object: object, value: V) {
      super(object);
      this.#value = value;
    }

    static get(object: object): V | undefined {
      return #value in object ? object.#value : others.get(object);
    }

    static replace(object: object, value: V): boolean {
      if (!(#value in object)) return false;
      object.#value = value;
      return true;
    }
  }
  return {
    get: Field.get,
    set(object, value) {
      if (!Field.replace(object, value)) {
        if (Object.isExtensible(object)) new Field(object, value);
        else others.set(object, value);
      }
    },
  };
}
