import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import {
  captureAsyncContext,
  createAsyncVariable,
  emptyAsyncContext,
} from '../../src/core/async-context.js';
import { Gate } from '../kit/gate.js';

test('a value is seen in the flow that it was set for, and in no other', async () => {
  const variable = createAsyncVariable<string>();
  const gate = new Gate();
  const flow = variable.run('a', async () => {
    await gate.passed;
    await delay(0);
    return variable.get();
  });
  expect(variable.get()).toBeUndefined();
  variable.run('b', () => gate.open());
  expect(await flow).toBe('a');
});

test('nested flows see the innermost value', () => {
  const variable = createAsyncVariable<string>();
  const seen = variable.run('outer', () => [
    variable.get(),
    variable.run('inner', () => variable.get()),
    variable.get(),
  ]);
  expect(seen).toEqual(['outer', 'inner', 'outer']);
});

test('a captured context replaces the context of its caller', () => {
  const variable = createAsyncVariable<string>();
  const inOwnContext = variable.run('own', () => captureAsyncContext());
  expect(variable.run('caller', () => inOwnContext(() => variable.get()))).toBe('own');
});

test('an empty context has no values, wherever it was made: cloudflare/vinext#2740', async () => {
  const [first, second] = [new AsyncLocalStorage<string>(), new AsyncLocalStorage<string>()];
  const inEmpty = first.run('importer', () => second.run('importer', () => emptyAsyncContext()));
  const values = (): unknown[] => [first.getStore(), second.getStore()];
  await first.run('caller', async () => {
    expect(inEmpty(values)).toEqual([undefined, undefined]);
    expect(await inEmpty(() => Promise.resolve().then(values))).toEqual([undefined, undefined]);
    expect(values()).toEqual(['caller', undefined]);
  });
  expect(inEmpty(() => second.run('inner', values))).toEqual([undefined, 'inner']);
});

test('a variable that rests has no value in any flow, until it is used again', () => {
  const variable = createAsyncVariable<string>();
  variable.run('a', () => {
    variable.rest();
    expect(variable.get()).toBeUndefined();
  });
  expect(variable.run('b', () => variable.get())).toBe('b');
});

test('variables keep their own values in one flow', () => {
  const [a, b] = [createAsyncVariable<string>(), createAsyncVariable<string>()];
  const values = () => [a.get(), b.get()];
  a.run('a', () => {
    b.run('b', () => {
      expect(values()).toEqual(['a', 'b']);
      expect(a.run('inner', values)).toEqual(['inner', 'b']);
      b.enter(undefined);
      expect(values()).toEqual(['a', undefined]);
      b.enter('again');
      expect(values()).toEqual(['a', 'again']);
    });
    expect(values()).toEqual(['a', undefined]);
  });
  expect(values()).toEqual([undefined, undefined]);
});

test('a variable that rests leaves the values of others alone, also in flows that go on', () => {
  const [a, b] = [createAsyncVariable<string>(), createAsyncVariable<string>()];
  const values = () => [a.get(), b.get()];
  a.run('a', () =>
    b.run('b', () => {
      a.rest();
      a.rest();
      expect(values()).toEqual([undefined, 'b']);
      expect(b.run('inner', values)).toEqual([undefined, 'inner']);
      expect(a.run('again', values)).toEqual(['again', 'b']);
    }),
  );
});

test('run passes no argument, and runWithValue passes the value', () => {
  const variable = createAsyncVariable<string>();
  const argumentsOf = (...args: unknown[]): unknown[] => args;
  expect(variable.run('value', argumentsOf)).toEqual([]);
  expect(variable.runWithValue('value', argumentsOf)).toEqual(['value']);
});
