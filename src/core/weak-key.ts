import { isObject } from './is-object.js';
import type { OptionCheck } from './options.js';

/** A value that can be referred to weakly: an object, a function, or a symbol that is not registered with `Symbol.for`. */
export const aWeakKey: OptionCheck = (value) =>
  isObject(value) || (typeof value === 'symbol' && Symbol.keyFor(value) === undefined)
    ? undefined
    : 'an object, a function or an unregistered symbol';
