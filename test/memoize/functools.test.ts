/** The counters beside those of CPython's functools.lru_cache, as `functools/record.py` has written them down. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { memoize } from '../../src/memoize/index.js';

interface Observations {
  readonly python: string;
  readonly runs: readonly { readonly maxsize: number | null; readonly lines: readonly string[] }[];
}

const observations = JSON.parse(
  readFileSync(new URL('functools/observations.json', import.meta.url), 'utf8'),
) as Observations;

test.each(observations.runs)('maxsize $maxsize counts as CPython does', ({ maxsize, lines }) => {
  const fn = memoize(
    (...args: (number | string)[]) => {
      if (args[0] === 0) throw new RangeError();
      return args;
    },
    { max: maxsize ?? Number.POSITIVE_INFINITY },
  );
  let [hits, misses] = [0, 0]; // Ours go on after a clear; CPython's begin again.
  const mine = lines.map((line) => {
    const [operation = ''] = line.split(' = ');
    const [verb, ...words] = operation.split(' ');
    if (verb === 'clear') {
      fn.clear();
      ({ hits, misses } = fn.cacheInfo());
    } else {
      const args = words.map((word) => (/^\d+$/.test(word) ? Number(word) : word));
      if (args[0] === 0) expect(() => fn(...args)).toThrow(RangeError);
      else expect(fn(...args)).toEqual(args);
    }
    const info = fn.cacheInfo();
    return `${operation} = ${info.hits - hits}/${info.misses - misses}/${info.size}`;
  });
  expect(mine).toEqual(lines);
  expect(lines.length).toBeGreaterThan(100);
});
