import { EventEmitter, once } from 'node:events';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { InvalidArgumentError, wasCollected, weakListener } from '../../src/weak/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';
import { heapAtRest } from '../kit/heap-at-rest.js';
import { until } from '../kit/until.js';

afterEach(() => {
  vi.restoreAllMocks();
});

interface View {
  readonly shown: unknown[];
}

const show = (owner: View, ...args: unknown[]) => void owner.shown.push(...args);

describe.each([
  ['an EventEmitter', () => new EventEmitter()],
  [
    'a function that emits, as an application of Express does',
    () => {
      const emitter = new EventEmitter();
      return Object.assign(() => {}, {
        on: emitter.on.bind(emitter),
        off: emitter.off.bind(emitter),
        emit: emitter.emit.bind(emitter),
        listenerCount: emitter.listenerCount.bind(emitter),
      });
    },
  ],
  [
    'an emitter with on and removeListener only',
    () => {
      const emitter = new EventEmitter();
      return {
        on: emitter.on.bind(emitter),
        removeListener: emitter.removeListener.bind(emitter),
        emit: emitter.emit.bind(emitter),
        listenerCount: emitter.listenerCount.bind(emitter),
      };
    },
  ],
])('%s', (_, make) => {
  test('calls with the owner and the arguments, until the owner has died', async () => {
    const emitter = make();
    let view: View | null = { shown: [] };
    const { shown } = view;
    weakListener(view, emitter, 'price', show);
    await collectGarbage();
    emitter.emit('price', 1, 'eur');
    expect(shown).toEqual([1, 'eur']);
    view = null;
    await collectGarbage();
    expect(emitter.listenerCount('price')).toBe(0);
    emitter.emit('price', 2);
    expect(shown).toEqual([1, 'eur']);
  });

  test('disposing removes the listener, once', () => {
    const emitter = make();
    const view: View = { shown: [] };
    const subscription = weakListener(view, emitter, 'price', show);
    emitter.emit('price', 1);
    subscription[Symbol.dispose]();
    subscription[Symbol.dispose]();
    emitter.emit('price', 2);
    expect([view.shown, emitter.listenerCount('price')]).toEqual([[1], 0]);
  });
});

test('an EventTarget: the abort of a signal reaches an owner that lives, and no helper dies before it', async () => {
  const controller = new AbortController();
  const view: View = { shown: [] };
  (() => weakListener(view, controller.signal, 'abort', (owner) => owner.shown.push('aborted')))();
  await collectGarbage();
  controller.abort();
  expect(view.shown).toEqual(['aborted']);
});

test('keeps neither the owner nor the emitter alive', async () => {
  const emitter = new EventEmitter();
  expect(
    await wasCollected(() => {
      const view: View = { shown: [] };
      weakListener(view, emitter, 'price', show);
      return view;
    }),
  ).toBe(true);
  const view: View = { shown: [] };
  expect(
    await wasCollected(() => {
      const short = new EventEmitter();
      weakListener(view, short, 'price', show);
      return short;
    }),
  ).toBe(true);
  expect(view.shown).toEqual([]);
});

test('emitters that died leave nothing behind on an owner that outlives them', async () => {
  const view: View = { shown: [] };
  const subscribe = (count: number) => {
    for (let i = 0; i < count; i++) weakListener(view, new EventEmitter(), 'price', show);
  };
  subscribe(5_000);
  const before = await heapAtRest();
  subscribe(5_000);
  await until(async () => (await heapAtRest()) - before < 5_000 * 40);
});

test("an error of the listener is the emitter's; one of the removal is printed", async () => {
  const print = vi.spyOn(console, 'error').mockImplementation(() => {});
  const emitter = new EventEmitter();
  const view: View = { shown: [] };
  weakListener(view, emitter, 'price', () => {
    throw new Error('of the listener');
  });
  expect(() => emitter.emit('price')).toThrow('of the listener');
  const broken = {
    on: () => {},
    off: () => {
      throw new Error('of off');
    },
    listener: undefined as unknown,
  };
  broken.on = ((_: string, listener: unknown) => {
    broken.listener = listener;
  }) as never;
  (() => weakListener({ shown: [] }, broken, 'price', show))();
  await collectGarbage();
  expect(print.mock.calls.map(([, error]) => error.message)).toEqual(['of off']);
});

test('an emitter that captures rejections sees that of an asynchronous listener', async () => {
  const emitter = new EventEmitter({ captureRejections: true });
  const view: View = { shown: [] };
  weakListener(view, emitter, 'price', async () => {
    throw new Error('of the listener');
  });
  const captured = once(emitter, 'error');
  emitter.emit('price');
  expect(await captured).toEqual([new Error('of the listener')]);
});

test('a second disposal has no effect, also if the removal has thrown: TC39 asks that of a disposable', () => {
  let removals = 0;
  const emitter = {
    on() {},
    off() {
      removals++;
      throw new Error('unknown listener');
    },
  };
  const subscription = weakListener({}, emitter, 'price', () => {});
  expect(() => subscription[Symbol.dispose]()).toThrow('unknown listener');
  subscription[Symbol.dispose]();
  expect(removals).toBe(1);
});

test('refuses malformed arguments, and adds nothing then', () => {
  const emitter = new EventEmitter();
  expect(() => weakListener(1 as never, emitter, 'x', () => {})).toThrow(InvalidArgumentError);
  expect(() => weakListener({}, emitter, 'x', 1 as never)).toThrow(InvalidArgumentError);
  expect(() => weakListener({}, {} as never, 'x', () => {})).toThrow(/addEventListener/);
  const owner = () => {};
  expect(() => weakListener(owner, emitter, 'x', owner)).toThrow(/must not be the owner/);
  expect(emitter.listenerCount('x')).toBe(0);
});
