/** What is made for one long-lived object and ended, again and again, leaves nothing behind on it. */
import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import {
  Cleaner,
  finalize,
  IterableWeakMap,
  IterableWeakSet,
  WeakValueMap,
  weakListener,
} from '../../src/weak/index.js';
import { heapAtRest } from '../kit/heap-at-rest.js';

const ROUNDS = 20_000;

/** A registration that stays takes more for each round, in bytes. */
const MIN_LEFTOVER = 50;

const target = { name: 'connection' };
const emitter = new EventEmitter();
const cleaner = new Cleaner();
const map = new IterableWeakMap<object, number>();
const set = new IterableWeakSet<object>();
const values = new WeakValueMap<string, object>();

test.each<[string, () => unknown]>([
  ['finalizer that is detached', () => finalize(target, () => {}).detach()],
  ['finalizer that is called', () => finalize(target, () => {})()],
  ['cleaning action that has run', () => cleaner.register(target, () => {}).clean()],
  ['listener', () => weakListener(target, emitter, 'price', () => {})[Symbol.dispose]()],
  ['entry of an IterableWeakMap', () => map.set(target, 1).delete(target)],
  ['entry of an IterableWeakMap that is cleared', () => map.set(target, 1).clear()],
  ['member of an IterableWeakSet', () => set.add(target).delete(target)],
  ['entry of a WeakValueMap', () => values.set('a', target).delete('a')],
])('%s', async (_, makeAndEnd) => {
  const repeat = async (): Promise<number> => {
    for (let round = 0; round < ROUNDS; round++) makeAndEnd();
    return heapAtRest();
  };
  const before = await repeat();
  expect((await repeat()) - before).toBeLessThan(ROUNDS * MIN_LEFTOVER);
  expect([target.name, emitter.listenerCount('price'), map.size, set.size, values.size]).toEqual([
    'connection',
    0,
    0,
    0,
    0,
  ]);
});
