import { expect, test } from 'vitest';
import { InvalidArgumentError, SoftValueMap, wasCollected } from '../../src/weak/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';
import { until } from '../kit/until.js';

interface Page {
  readonly path: string;
}

/** Fills a map with pages that no other code holds. */
function fill(map: SoftValueMap<string, Page>, ...paths: string[]): void {
  for (const path of paths) map.set(path, { path });
}

/** Gives the keys that are left when V8 has collected what it can. */
async function survivors(map: SoftValueMap<string, Page>, count: number): Promise<string[]> {
  await until(async () => {
    await collectGarbage();
    return map.stats().size === count;
  });
  await collectGarbage();
  return [...map.keys()];
}

test('the most recently used values survive a collection, and the others do not', async () => {
  const map = new SoftValueMap<string, Page>({ maxStrong: 2 });
  fill(map, '/a', '/b', '/c');
  (() => map.get('/a'))();
  expect([map.size, map.strong]).toEqual([3, 2]);
  expect(await survivors(map, 2)).toEqual(['/a', '/c']);
});

test('a weak value that is found in time is held strongly again', async () => {
  const map = new SoftValueMap<string, Page>({ maxStrong: 1 });
  fill(map, '/a', '/b');
  expect((() => map.get('/a')?.path)()).toBe('/a');
  expect(await survivors(map, 1)).toEqual(['/a']);
});

test('has, size and loops are no use', async () => {
  const map = new SoftValueMap<string, Page>({ maxStrong: 1 });
  fill(map, '/a', '/b');
  (() => [map.has('/a'), map.size, [...map]])();
  expect(await survivors(map, 1)).toEqual(['/b']);
});

test('delete, take and clear let the strong values go', async () => {
  const map = new SoftValueMap<string, Page>();
  for (const remove of [
    () => void map.delete('/a'),
    () => void map.take('/a'),
    () => map.clear(),
    () => void map.set('/a', { path: 'other' }),
  ]) {
    const dies = await wasCollected(() => {
      const page = { path: '/a' };
      map.set('/a', page);
      remove();
      return page;
    });
    expect(dies, String(remove)).toBe(true);
  }
  expect(map.strong).toBe(1);
});

test('a value that is refused changes nothing', () => {
  const map = new SoftValueMap<string, Page>();
  const page = { path: '/a' };
  map.set('a', page);
  expect(() => map.set('a', 'text' as never)).toThrow(InvalidArgumentError);
  expect(() => map.set('b', 'text' as never)).toThrow(InvalidArgumentError);
  expect([map.get('a'), map.size, map.strong]).toEqual([page, 1, 1]);
});

test('a map without strong values holds all weakly', async () => {
  const map = new SoftValueMap<string, Page>({ maxStrong: 0 });
  fill(map, '/a');
  expect(map.strong).toBe(0);
  expect(await survivors(map, 0)).toEqual([]);
});

test('a dead map lets go of its values', async () => {
  expect(
    await wasCollected(() => {
      const page = { path: '/a' };
      new SoftValueMap([['/a', page]]);
      return page;
    }),
  ).toBe(true);
});

test('taking a value that is held weakly lets no other one go', async () => {
  const map = new SoftValueMap<string, Page>({ maxStrong: 2 });
  fill(map, '/a', '/b', '/c');
  (() => expect(map.take('/a')?.path).toBe('/a'))();
  expect(map.strong).toBe(2);
  expect(await survivors(map, 2)).toEqual(['/b', '/c']);
});

test('takes entries, calls onCollect, and refuses malformed options', async () => {
  const gone: string[] = [];
  const map = new SoftValueMap<string, Page>([['/a', { path: '/a' }]], {
    maxStrong: 1,
    onCollect: (path) => void gone.push(path),
  });
  expect([map.strong, map.get('/a')?.path, String(map)]).toEqual([
    1,
    '/a',
    '[object SoftValueMap]',
  ]);
  fill(map, '/b');
  expect(await survivors(map, 1)).toEqual(['/b']);
  expect(gone).toEqual(['/a']);
  expect(() => new SoftValueMap({ maxStrong: -1 })).toThrow(InvalidArgumentError);
  expect(() => new SoftValueMap({ max: 1 } as never)).toThrow(/SoftValueMap: unknown option `max`/);
});
