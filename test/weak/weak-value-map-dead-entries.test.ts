/**
 * Tests the time between the collection of a value and the callback that removes its entry. V8 gives no control over that
 * time, so WeakRef and FinalizationRegistry are replaced by ones that the test controls.
 */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { observe, WeakValueMap } from '../../src/weak/index.js';
import { RecordingObserver } from '../kit/recording-observer.js';
import { stubWeakRef } from '../kit/stub-weak-ref.js';

interface Registered {
  readonly target: unknown;
  readonly token: unknown;
  readonly call: () => void;
}

let registrations: Registered[];
let dead: Set<unknown>;

beforeEach(() => {
  registrations = [];
  dead = stubWeakRef();
  vi.stubGlobal(
    'FinalizationRegistry',
    class {
      readonly #callback: (held: unknown) => void;
      constructor(callback: (held: unknown) => void) {
        this.#callback = callback;
      }
      register(target: unknown, held: unknown, token: unknown): void {
        registrations.push({ target, token, call: () => this.#callback(held) });
      }
      unregister(token: unknown): void {
        registrations = registrations.filter((registered) => registered.token !== token);
      }
    },
  );
});

afterEach(() => {
  vi.unstubAllGlobals();
});

/** Calls the registered callbacks of the dead values. */
function callBack(): void {
  const due = registrations.filter(({ target }) => dead.has(target));
  registrations = registrations.filter(({ target }) => !dead.has(target));
  for (const { call } of due) call();
}

function mapOf<K extends string>(...keys: K[]) {
  const onCollect = vi.fn();
  const map = new WeakValueMap<string, { id: string }>({ onCollect });
  const values = {} as Record<K, { id: string }>;
  for (const key of keys) {
    values[key] = { id: key };
    map.set(key, values[key]);
  }
  return { map, values, onCollect };
}

test('no read sees a dead entry, and only the callback removes it', () => {
  const { map, values, onCollect } = mapOf('a', 'b');
  dead.add(values.a);
  expect([map.size, map.has('a'), map.get('a'), map.delete('a')]).toEqual([
    1,
    false,
    undefined,
    false,
  ]);
  expect([...map.keys()]).toEqual(['b']);
  expect([...map.values()]).toEqual([values.b]);
  expect([...map]).toEqual([['b', values.b]]);
  const seen: string[] = [];
  map.forEach((_, key) => void seen.push(key));
  expect(seen).toEqual(['b']);
  expect(onCollect).not.toHaveBeenCalled();
  expect(map.stats()).toMatchObject({ size: 2, collected: 0 });
  callBack();
  expect(onCollect.mock.calls).toEqual([['a']]);
  expect(map.stats()).toMatchObject({ size: 1, collected: 1 });
});

test('clear leaves a dead entry to its callback, so that onCollect is called', () => {
  const { map, values, onCollect } = mapOf('a', 'b');
  dead.add(values.a);
  map.clear();
  expect([map.size, map.stats().size]).toEqual([0, 1]);
  callBack();
  expect(onCollect.mock.calls).toEqual([['a']]);
  expect(map.stats()).toMatchObject({ size: 0, collected: 1 });
});

test('a key that is set again after its entry died goes to the end, and the late callback leaves it', () => {
  const { map, values, onCollect } = mapOf('a', 'b');
  const [late] = registrations;
  dead.add(values.a);
  const again = { id: 'again' };
  map.set('a', again);
  expect([...map.keys()]).toEqual(['b', 'a']);
  late?.call();
  callBack();
  expect(map.get('a')).toBe(again);
  expect(onCollect).not.toHaveBeenCalled();
  expect(map.stats()).toMatchObject({ size: 2, collected: 1 });
});

test('an observer is not told of the end of an entry that was never reported to it', () => {
  const { map, values } = mapOf('a', 'b');
  map[observe](new RecordingObserver())[Symbol.dispose]();
  dead.add(values.a);
  const second = new RecordingObserver();
  using _watch = map[observe](second);
  callBack();
  expect(second.log).toEqual(['allocated weak-target 2']);
});

test('an observer is told of each end once, in any order of collection, read and callback', () => {
  const { map, values } = mapOf('a', 'b', 'c', 'd');
  dead.add(values.d);
  const observer = new RecordingObserver();
  using _watch = map[observe](observer);
  expect(observer.liveOf('weak-target')).toHaveLength(3);
  dead.add(values.a);
  map.set('a', { id: 'again' });
  expect(observer.live.size).toBe(3);
  dead.add(values.b);
  map.delete('b');
  expect(observer.live.size).toBe(3);
  callBack();
  expect(observer.live.size).toBe(2);
  map.clear();
  expect(observer.live.size).toBe(0);
});
