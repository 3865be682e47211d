import { expect, test } from 'vitest';
import { ObserverGroup } from '../../src/core/observer-group.js';
import { isWatchable } from '../../src/core/probe.js';
import { AlreadyWatchedError, observe, WeakValueMap } from '../../src/weak/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';
import { RecordingObserver } from '../kit/recording-observer.js';

function watched(name?: string) {
  const map = new WeakValueMap<string, { id: string }>(name === undefined ? {} : { name });
  const observer = new RecordingObserver();
  return { map, observer, watch: map[observe](observer) };
}

test('an observation has a kind, a name and figures', () => {
  const { map, watch } = watched('images');
  expect(isWatchable(map)).toBe(true);
  expect([watch.kind, watch.name]).toEqual(['weak-map', 'images']);
  expect(watched().watch.name).toBe('weak-map');
  const item = { id: 'a' };
  map.set('a', item).get('a');
  expect(watch.stats()).toEqual({ size: 1, hits: 1, misses: 0, collected: 0 });
});

test('reports each entry from set to delete, replacement and clear', () => {
  const { map, observer } = watched();
  const items = [{ id: 'a' }, { id: 'b' }, { id: 'c' }] as const;
  map.set('a', items[0]);
  map.set('a', items[0]);
  map.set('b', items[1]);
  const [a] = observer.live.keys();
  expect(observer.live.get(a as number)).toMatchObject({ kind: 'weak-target', holders: [1] });
  map.set('a', items[2]);
  map.delete('b');
  map.delete('b');
  map.getOrInsertComputed('d', () => items[0]);
  map.clear();
  expect(observer.log).toEqual([
    'allocated weak-target 2',
    'allocated weak-target 3',
    'freed weak-target 2',
    'allocated weak-target 4',
    'freed weak-target 3',
    'allocated weak-target 5',
    'freed weak-target 4',
    'freed weak-target 5',
  ]);
});

test('reports an entry whose value was collected as freed, once', async () => {
  const { map, observer } = watched();
  (() => map.set('a', { id: 'lost' }))();
  await collectGarbage();
  await collectGarbage();
  expect(observer.log).toEqual(['allocated weak-target 2', 'freed weak-target 2']);
});

test('reads report nothing', () => {
  const { map, observer } = watched();
  const item = { id: 'a' };
  map.set('a', item);
  const reports = observer.log.length;
  map.get('a');
  map.get('b');
  map.has('a');
  map.getOrInsertComputed('a', () => item);
  for (const _ of map);
  expect([map.size, observer.log.length]).toEqual([1, reports]);
});

test('an observer that is attached later is told of the existing entries', () => {
  const map = new WeakValueMap<string, object>();
  const items = [{}, {}] as const;
  map.set('a', items[0]).set('b', items[1]);
  const observer = new RecordingObserver();
  using _watch = map[observe](observer);
  expect(observer.liveOf('weak-target')).toHaveLength(2);
  map.clear();
  expect(observer.live.size).toBe(0);
});

test('a tracer that comes later changes nothing for the observer that is there', () => {
  const { map, observer } = watched();
  const items = [{ id: 'a' }, { id: 'b' }] as const;
  map.set('a', items[0]);
  const tracer = Object.assign(new RecordingObserver(), { newGroup: () => new ObserverGroup() });
  using _tracing = map[observe](tracer);
  map.set('b', items[1]);
  expect([observer.live.size, tracer.live.size]).toEqual([2, 2]);
  map.delete('a');
  map.clear();
  expect([observer.live.size, tracer.live.size]).toEqual([0, 0]);
});

test('a second observer is refused while the first is attached, and accepted after that', () => {
  const { map, observer, watch } = watched();
  const items = [{ id: 'a' }, { id: 'b' }] as const;
  map.set('a', items[0]);
  expect(() => map[observe](new RecordingObserver())).toThrow(AlreadyWatchedError);
  watch[Symbol.dispose]();
  const reports = observer.log.length;
  const second = new RecordingObserver();
  using _second = map[observe](second);
  watch[Symbol.dispose]();
  map.set('b', items[1]);
  map.delete('a');
  expect(observer.log).toHaveLength(reports);
  expect(second.log).toEqual([
    'allocated weak-target 2',
    'allocated weak-target 3',
    'freed weak-target 2',
  ]);
});

test('a watched map that was dropped is collected', async () => {
  const [map, value] = (() => {
    const { map } = watched();
    const value = { id: 'kept' };
    map.set('a', value);
    return [new WeakRef(map), value];
  })();
  await collectGarbage();
  expect([map.deref(), value.id]).toEqual([undefined, 'kept']);
});
