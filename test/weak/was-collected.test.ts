import { expect, test } from 'vitest';
import { InvalidArgumentError, keepAlive, wasCollected } from '../../src/weak/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';

test('an object that nothing holds dies; one that something holds does not', async () => {
  const held: object[] = [];
  expect(await wasCollected(() => ({}))).toBe(true);
  expect(await wasCollected(async () => ({}))).toBe(true);
  expect(await wasCollected(() => () => {})).toBe(true);
  expect(
    await wasCollected(() => {
      const object = {};
      held.push(object);
      return object;
    }),
  ).toBe(false);
  expect(held).toHaveLength(1);
});

test('an object in a cycle dies', async () => {
  const cycle = () => {
    const a: { b?: object } = {};
    a.b = { a };
    return a;
  };
  expect(await wasCollected(cycle)).toBe(true);
});

test('uses the collector that it is given', async () => {
  let runs = 0;
  const gcSource = {
    collect: async () => {
      runs++;
    },
  };
  expect(await wasCollected(() => ({}), { gcSource })).toBe(false);
  expect(runs).toBeGreaterThan(1);
});

test('rejects with the error of make, and refuses what is no object', async () => {
  const failing = () => {
    throw new Error('of make');
  };
  await expect(wasCollected(failing)).rejects.toThrow('of make');
  await expect(wasCollected(() => 1 as never)).rejects.toThrow(InvalidArgumentError);
  await expect(wasCollected('make' as never)).rejects.toThrow(InvalidArgumentError);
  await expect(wasCollected(() => ({}), { gc: 1 } as never)).rejects.toThrow('unknown option');
});

test('keepAlive holds an object up to its call, and no longer', async () => {
  let probe!: WeakRef<object>;
  const seen: boolean[] = [];
  const work = async () => {
    const file = {};
    probe = new WeakRef(file);
    await collectGarbage();
    seen.push(probe.deref() !== undefined);
    keepAlive(file);
  };
  await work();
  await collectGarbage();
  seen.push(probe.deref() !== undefined);
  expect(seen).toEqual([true, false]);
  expect(() => keepAlive('text' as never)).toThrow(InvalidArgumentError);
});
