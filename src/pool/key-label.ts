/**
 * Labels for the keys of a keyed pool: the part of a pool's name that says whose it is, in errors, reports and metrics. A key
 * may be a connection string, so secrets in it are masked. It may come from a request, so control characters in it are escaped.
 */
import { guardedCall } from '../core/guarded-call.js';
import { isObject } from '../core/is-object.js';
import { printable } from '../core/printable.js';
import { maskSecrets } from '../core/secrets.js';

const MAX_CHARACTERS = 100;

/** Gives labels. `labelOf` is the user's own function, `undefined` for the default. */
export class KeyLabels<K> {
  readonly #labelOf: ((key: K) => string) | undefined;
  readonly #name: string;
  #unnamed = 0;

  constructor(name: string, labelOf: ((key: K) => string) | undefined) {
    this.#name = name;
    this.#labelOf = labelOf;
  }

  /** The label of a key. An object gets a number, unless it is a URL. Never throws. */
  of(key: K): string {
    const labelOf = this.#labelOf ?? textOf;
    const label: unknown = guardedCall(`${this.#name}: \`keyLabel\``, () => labelOf(key));
    if (typeof label !== 'string' || label === '') return `#${++this.#unnamed}`;
    const isLong = label.length > MAX_CHARACTERS;
    return printable(isLong ? `${label.slice(0, MAX_CHARACTERS)}…` : label);
  }
}

function textOf(key: unknown): string {
  return isObject(key) && !(key instanceof URL) ? '' : maskSecrets(String(key));
}
