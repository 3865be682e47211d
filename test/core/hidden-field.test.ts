import { expect, test } from 'vitest';
import { hiddenField } from '../../src/core/hidden-field.js';
import { untilCollected } from '../kit/until-collected.js';

test('each object has its own value in each field, and shows none', () => {
  const one = hiddenField<string>();
  const other = hiddenField<string>();
  const [a, b] = [{ id: 1 }, { id: 2 }];
  one.set(a, 'one of a');
  one.set(b, 'one of b');
  other.set(a, 'other of a');
  expect([one.get(a), one.get(b), other.get(a), other.get(b)]).toEqual([
    'one of a',
    'one of b',
    'other of a',
    undefined,
  ]);
  expect(Reflect.ownKeys(a)).toEqual(['id']);
  expect(structuredClone(a)).toEqual({ id: 1 });
});

test.each([
  ['frozen', Object.freeze({})],
  ['sealed', Object.seal({})],
  ['not extensible', Object.preventExtensions({})],
])('an object that is %s has a value', (_, object) => {
  const field = hiddenField<number>();
  expect(field.get(object)).toBe(undefined);
  field.set(object, 7);
  expect(field.get(object)).toBe(7);
});

test('an object keeps its value when it is frozen, and can have another one', () => {
  const field = hiddenField<number>();
  const object = {};
  field.set(object, 7);
  Object.freeze(object);
  expect(field.get(object)).toBe(7);
  field.set(object, 8);
  expect(field.get(object)).toBe(8);
});

test('neither an heir nor a proxy has the value of an object, and each can have its own', () => {
  const field = hiddenField<string>();
  const object = {};
  field.set(object, 'its own');
  const heir = Object.create(object) as object;
  const proxy = new Proxy(object, {});
  expect([field.get(heir), field.get(proxy)]).toEqual([undefined, undefined]);
  field.set(heir, 'the heir’s');
  field.set(proxy, 'the proxy’s');
  expect([field.get(object), field.get(heir), field.get(proxy)]).toEqual([
    'its own',
    'the heir’s',
    'the proxy’s',
  ]);
});

test('a value that refers to its object keeps it from no collection', async () => {
  const field = hiddenField<object>();
  const refs = [{}, Object.freeze({})].map((object) => {
    field.set(object, { object });
    return new WeakRef(object);
  });
  await untilCollected(...refs);
  expect(refs.map((ref) => ref.deref())).toEqual([undefined, undefined]);
});
