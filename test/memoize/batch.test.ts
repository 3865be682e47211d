import { runInNewContext } from 'node:vm';
import Keyv from 'keyv';
import { expect, test } from 'vitest';
import { batched } from '../../src/memoize/batch/index.js';
import { memoize } from '../../src/memoize/index.js';
import { sharedCache } from '../../src/memoize/shared/index.js';
import { Gate } from '../kit/gate.js';

function counting() {
  const queries: number[][] = [];
  const loadMany = async (lists: readonly [id: number][]) => {
    queries.push(lists.map(([id]) => id));
    return lists.map(([id]) => (id < 0 ? new Error(`no user ${id}`) : `user ${id}`));
  };
  return { queries, loadMany };
}

test('calls of one turn share a load, and each result is stored', async () => {
  const { queries, loadMany } = counting();
  const user = memoize(batched(loadMany));
  expect(await Promise.all([user(1), user(2), user(1)])).toEqual(['user 1', 'user 2', 'user 1']);
  expect(await user.getMany([[2], [3], [4]])).toEqual(['user 2', 'user 3', 'user 4']);
  expect(queries).toEqual([
    [1, 2],
    [3, 4],
  ]);
  expect(user.cacheInfo()).toMatchObject({ size: 4, loads: 4 });
});

test('an Error among the results rejects its call alone', async () => {
  const { loadMany } = counting();
  const user = memoize(batched(loadMany));
  const [bad, good] = await Promise.allSettled([user(-1), user(1)]);
  expect([bad?.status, good]).toEqual(['rejected', { status: 'fulfilled', value: 'user 1' }]);
  await expect(user.getMany([[1], [-2]])).rejects.toThrow('no user -2');
});

test.each([
  [() => Promise.reject(new Error('down')), 'down'],
  [
    () => {
      throw new Error('down');
    },
    'down',
  ],
  [async () => [], /array of 2 results.*got 0/],
  [async () => 'us', /got string/], // As long as the batch.
])('a load that fails or returns nonsense rejects all its calls: %#', async (loadMany, message) => {
  const user = memoize(batched(loadMany as never) as (id: number) => Promise<string>);
  for (const result of await Promise.allSettled([user(1), user(2)])) {
    expect(result.status).toBe('rejected');
    expect(String((result as PromiseRejectedResult).reason)).toMatch(message);
  }
  expect(user.cacheInfo()).toMatchObject({ size: 0, inFlight: 0 });
});

test('maxBatch limits each load', async () => {
  const { queries, loadMany } = counting();
  const user = memoize(batched(loadMany, { maxBatch: 2 }));
  await user.getMany([[1], [2], [3], [4], [5]]);
  expect(queries).toEqual([[1, 2], [3, 4], [5]]);
});

test('a full batch that runs does not close the batch after it', async () => {
  const { queries, loadMany } = counting();
  const user = batched(loadMany, { maxBatch: 2 });
  const users = [user(1), user(2)];
  for (let job = 0; job < 4; job++) await undefined;
  users.push(user(3));
  while (queries.length === 0) await undefined;
  users.push(user(4));
  await Promise.all(users);
  expect(queries).toEqual([
    [1, 2],
    [3, 4],
  ]);
});

test('misses of a shared cache share a load too', async () => {
  const { queries, loadMany } = counting();
  const user = memoize(batched(loadMany), {
    name: 'user',
    shared: sharedCache({ store: new Keyv() }),
  });
  await user.getMany([[1], [2], [3]]);
  expect(queries).toEqual([[1, 2, 3]]);
});

test('arguments that wait in a batch are asked for once, though their load was invalidated', async () => {
  const { queries, loadMany } = counting();
  const user = memoize(batched(loadMany));
  const users = [user(1)];
  user.delete(1);
  users.push(user(1), user(2));
  user.clear();
  users.push(user(2), user.refresh(1));
  expect(await Promise.all(users)).toEqual(['user 1', 'user 1', 'user 2', 'user 2', 'user 1']);
  expect(queries).toEqual([[1, 2]]);
  expect(await user(1)).toBe('user 1');
  expect(user.cacheInfo()).toMatchObject({ size: 2, inFlight: 0 });
});

test('calls with the same arguments take one place in a batch: graphql/dataloader#294', async () => {
  const { queries, loadMany } = counting();
  const user = batched(loadMany, { maxBatch: 3 });
  await Promise.all([1, 2, 1, 1, 1, 2, 3].map((id) => user(id)));
  expect(queries).toEqual([[1, 2, 3]]);
});

test('arguments that wait in a full batch are asked for once', async () => {
  const { queries, loadMany } = counting();
  const user = batched(loadMany, { maxBatch: 1 });
  expect(await Promise.all([user(1), user(2), user(1)])).toEqual(['user 1', 'user 2', 'user 1']);
  expect(queries).toEqual([[1], [2]]);
});

test('arguments of a batch that was sent are asked for again', async () => {
  const [isDone, queries] = [new Gate(), [] as number[][]];
  const user = memoize(
    batched(async (lists: readonly [id: number][]) => {
      queries.push(lists.map(([id]) => id));
      await isDone.passed;
      return lists.map(([id]) => `user ${id}, query ${queries.length}`);
    }),
  );
  const old = user(1);
  while (queries.length === 0) await undefined;
  user.delete(1);
  const renewed = user(1);
  while (queries.length === 1) await undefined;
  isDone.open();
  await Promise.all([old, renewed]);
  expect(queries).toEqual([[1], [1]]);
});

test('lists of a batch are told apart by every argument and by their number', async () => {
  const lists: (readonly unknown[])[] = [];
  const call = batched(async (all: readonly (readonly unknown[])[]) => {
    lists.push(...all);
    return all.map(() => 0);
  });
  const own = {};
  const calls = [[], [undefined], [1, 2], [1], ['1'], [Number.NaN], [-0], [own], [{}], [1, '2']];
  await Promise.all([...calls, [own], [1, 2], [Number.NaN], [0]].map((args) => call(...args)));
  expect(lists).toEqual(calls);
});

test('a malformed argument is refused', () => {
  expect(() => batched(5 as never)).toThrow(/loadMany/);
  expect(() => batched(async () => [], { maxBatch: 0 })).toThrow(/maxBatch/);
});

test('an Error of another realm rejects its call: aws/aws-durable-execution-sdk-js#306', async () => {
  const ForeignError = runInNewContext('Error') as ErrorConstructor;
  const user = memoize(batched(async (_: readonly [number][]) => [new ForeignError('far')]));
  await expect(user(1)).rejects.toThrow('far');
  expect(user.cacheInfo()).toMatchObject({ size: 0, loadFailures: 1 });
});

test('getMany: a call that throws rejects the whole, and leaves no rejection without a handler', async () => {
  const runs: number[] = [];
  const user = memoize((id: number): Promise<number> => {
    runs.push(id);
    if (id === 2) throw new Error('thrown');
    return id === 1 ? Promise.reject(new Error('rejected')) : Promise.resolve(id);
  });
  await expect(user.getMany([[2], [1], [3]])).rejects.toThrow('thrown');
  await expect(user.getMany([[1], [2], [3]])).rejects.toThrow('thrown');
  expect([runs, user.has(3)]).toEqual([[2, 1, 3, 1, 2], true]);
});

test('rejections among results that no call gets are not unhandled', async () => {
  const reject = (): never => Promise.reject(new Error('no user')) as never;
  const user = memoize(batched(async (_: readonly [number][]) => [1, reject(), reject()]));
  await expect(user(1)).rejects.toThrow('must return an array of 1 results');
});

test('deleteMany forgets the other lists if a key cannot be made, and then throws', () => {
  const user = memoize((id: number) => id, {
    key: (id) => {
      if (id < 0) throw new Error(`no user ${id}`);
      return id;
    },
  });
  user(1);
  user(2);
  expect(() => user.deleteMany([[1], [-1], [-2], [2]])).toThrow('no user -1');
  expect(user.cacheInfo().size).toBe(0);
});

test('getMany and deleteMany are about the lists that they got, whatever becomes of these: google/guava#5810', async () => {
  const lists: [number][] = [[1], [2], [3]];
  const user = memoize(async (id: number) => `user ${id}`, {
    key: (id) => {
      lists.length = 0;
      return id;
    },
  });
  expect(await user.getMany(lists)).toEqual(['user 1', 'user 2', 'user 3']);
  lists.push([1], [2], [4]);
  expect(user.deleteMany(lists)).toBe(2);
});

test('getMany and deleteMany refuse a list with a hole', async () => {
  const user = memoize(async (id: number) => id);
  const lists = Object.assign([[1] as [number]], { length: 2 });
  await expect(user.getMany(lists)).rejects.toThrow('getMany: `lists`');
  expect(() => user.deleteMany(lists)).toThrow('deleteMany: `lists`');
  expect(user.cacheInfo().misses).toBe(0);
});

test('takes a function of readonly argument lists', async () => {
  const double = memoize(
    batched(async (lists: readonly (readonly [n: number])[]) => lists.map(([n]) => n * 2)),
  );
  expect(await Promise.all([double(1), double(2)])).toEqual([2, 4]);
});
