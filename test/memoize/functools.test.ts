/** The counters, compared with those of CPython's functools.lru_cache, which `functools/record.py` has recorded. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { memoize } from '../../src/memoize/index.js';

interface Observations {
  readonly python: string;
  readonly runs: readonly {
    readonly maxsize: number | null;
    readonly typed: boolean;
    readonly observations: string;
  }[];
}

const { runs } = JSON.parse(
  readFileSync(new URL('functools/observations.json', import.meta.url), 'utf8'),
) as Observations;

/** Converts a value of Python to one that equals no other: a float becomes a bigint. */
function ourValue(word: string): unknown {
  if (word.startsWith("'")) return word.slice(1, -1);
  if (word.endsWith('.0')) return BigInt(word.slice(0, -2));
  return word === 'True' ? true : word === 'None' ? null : Number(word);
}

/**
 * Python's equality of keys without `typed`: 1 == 1.0 == True. A single int or str is its own key, and is never equal
 * to the tuple that a single float is packed into.
 */
function untypedKey(...args: readonly unknown[]): string {
  const [first] = args;
  if (args.length === 1 && (typeof first === 'number' || typeof first === 'string')) {
    return `alone ${JSON.stringify(first)}`;
  }
  const shown = args.map((arg) =>
    typeof arg === 'string' || arg === null ? JSON.stringify(arg) : String(Number(arg)),
  );
  return `packed ${shown.join()}`;
}

test.each(runs)(
  'maxsize $maxsize, typed $typed: counts as CPython does',
  ({ maxsize, typed, observations }) => {
    const fn = memoize(
      (...args: unknown[]) => {
        if (args[0] === 0) throw new RangeError();
        return args;
      },
      { max: maxsize ?? Number.POSITIVE_INFINITY, ...(typed ? {} : { key: untypedKey }) },
    );
    let [hits, misses] = [0, 0]; // Our counters continue after a clear; those of CPython begin at 0.
    const lines = observations.split(';');
    const mine = lines.map((line) => {
      const [operation = ''] = line.split('=');
      const [verb, ...words] = operation.split(' ');
      if (verb === 'clear') {
        fn.clear();
        ({ hits, misses } = fn.cacheInfo());
      } else {
        const args = words.map(ourValue);
        if (args[0] === 0) expect(() => fn(...args)).toThrow(RangeError);
        else if (typed) expect(fn(...args)).toEqual(args);
        else fn(...args);
      }
      const info = fn.cacheInfo();
      expect(info.max).toBe(maxsize ?? Number.POSITIVE_INFINITY);
      return `${operation}=${info.hits - hits}/${info.misses - misses}/${info.size}`;
    });
    expect(mine).toEqual(lines);
    expect(lines).toHaveLength(300);
  },
);
