import { describe, expect, test } from 'vitest';
import { isWatchable } from '../../src/core/probe.js';
import { AlreadyWatchedError, memoize, observe } from '../../src/memoize/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gates } from '../kit/gate.js';
import { RecordingObserver } from '../kit/recording-observer.js';

describe.each([
  { what: 'unbounded', options: {} },
  { what: 'bounded', options: { max: 100 } },
])('a watched cache, $what', ({ options }) => {
  const object = {};
  const lists: unknown[][] = [[], [1], [undefined], [1, 'x'], [object], [object, 1]];

  function watched() {
    const fn = memoize((...args: unknown[]) => args.length, { ...options, name: 'lengths' });
    const observer = new RecordingObserver();
    return { fn, observer, watch: () => fn[observe](observer) };
  }

  test('the observation has a kind, a name and figures', () => {
    const { fn, watch } = watched();
    fn(1);
    expect(isWatchable(fn)).toBe(true);
    const observation = watch();
    expect([observation.kind, observation.name]).toEqual(['cache', 'lengths']);
    expect(observation.stats()).toEqual(fn.cacheInfo());
    const anonymous = memoize(
      (
        () => (id: number) =>
          id
      )(),
    );
    expect(anonymous[observe](new RecordingObserver()).name).toBe('anonymous');
    function loadUser(): void {}
    expect(memoize(loadUser)[observe](new RecordingObserver()).name).toBe('loadUser');
  });

  test('each entry is a node from when it is stored until it leaves, and hits report nothing', () => {
    const { fn, observer, watch } = watched();
    watch();
    for (const args of lists) fn(...args);
    expect([observer.liveOf('entry').length, observer.liveOf('weak-entry').length]).toEqual([4, 2]);
    for (const node of observer.live.values()) expect(node.holders).toEqual([observer.root]);
    const { length } = observer.log;
    for (const args of lists) fn(...args);
    expect(observer.log).toHaveLength(length);
    for (const args of lists) expect(fn.delete(...args)).toBe(true);
    expect(observer.live.size).toBe(0);
    expect(observer.log).toHaveLength(2 * length);
  });

  test('a watch that begins late gets the present entries', () => {
    const { fn, observer, watch } = watched();
    for (const args of lists) fn(...args);
    watch();
    expect([observer.liveOf('entry').length, observer.liveOf('weak-entry').length]).toEqual([4, 2]);
    fn.clear();
    expect(observer.live.size).toBe(0);
    for (const args of lists) fn(...args);
    expect(observer.live.size).toBe(lists.length);
    fn[Symbol.dispose]();
    expect(observer.live.size).toBe(0);
  });

  test('a replaced entry is another node', () => {
    const { fn, observer, watch } = watched();
    watch();
    for (const args of lists) {
      fn.set(args, 1);
      fn.set(args, 2);
    }
    expect(observer.live.size).toBe(lists.length);
    expect(observer.log.filter((line) => line.startsWith('freed'))).toHaveLength(lists.length);
  });

  test('an observer is told nothing after the end of its watch, and another may follow', () => {
    const { fn, observer, watch } = watched();
    const first = watch();
    for (const args of lists) fn(...args);
    expect(() => fn[observe](new RecordingObserver())).toThrow(AlreadyWatchedError);
    first[Symbol.dispose]();
    const { length } = observer.log;
    const second = new RecordingObserver();
    fn[observe](second);
    first[Symbol.dispose]();
    fn.delete(1);
    fn(2);
    fn.clear();
    expect(observer.log).toHaveLength(length);
    expect(second.live.size).toBe(0);
    expect(second.log).toHaveLength(2 * (lists.length + 1));
  });

  test('an expiry frees the node; a load in flight or a failure has none', async () => {
    const clock = new FakeClock();
    const gates = new Gates<number>();
    const fn = memoize((_: number) => gates.next(), { ...options, ttl: 10, clock });
    const observer = new RecordingObserver();
    fn[observe](observer);
    const loading = fn(1);
    expect(observer.live.size).toBe(0);
    gates.at(0).open(1);
    await loading;
    expect(observer.live.size).toBe(1);
    clock.jump(10);
    const failing = fn(1);
    expect(observer.live.size).toBe(0);
    gates.at(1).fail(new Error('down'));
    await expect(failing).rejects.toThrow('down');
    expect(observer.live.size).toBe(0);
  });
});

test('an eviction frees the node, also while the store grows', () => {
  const fn = memoize((id: number, _: string) => id, { max: 200 });
  const observer = new RecordingObserver();
  fn[observe](observer);
  for (let id = 0; id < 1_000; id++) {
    fn(id, 'x');
    expect(observer.live.size).toBe(fn.cacheInfo().size);
  }
  expect(observer.live.size).toBe(200);
});

test('a function that calls itself with the same argument has one entry for it', () => {
  for (const same of [true, false]) {
    const shared = {};
    let depth = 0;
    const fn = memoize(
      (id: number): object => {
        if (depth++ === 0) fn(id);
        return same ? shared : { id };
      },
      { max: 5 },
    );
    const observer = new RecordingObserver();
    fn[observe](observer);
    fn(1);
    expect([observer.live.size, fn.cacheInfo().size]).toEqual([1, 1]);
    fn.delete(1);
    expect(observer.live.size).toBe(0);
  }
});
