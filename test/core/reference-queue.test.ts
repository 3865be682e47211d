import { expect, test } from 'vitest';
import { InvalidArgumentError, PhantomReference, ReferenceQueue } from '../../src/weak/index.js';
import { settle } from '../kit/settle.js';

/** Puts references with these tags in a queue. */
function enqueue(queue: ReferenceQueue<string>, ...tags: string[]): void {
  for (const tag of tags) new PhantomReference({}, queue, tag).enqueue();
}

test('take gives a reference that is in the queue, the first to arrive first', async () => {
  const queue = new ReferenceQueue<string>();
  enqueue(queue, 'a', 'b');
  expect((await queue.take()).tag).toBe('a');
  expect(queue.poll()?.tag).toBe('b');
  expect([queue.length, queue.poll()]).toEqual([0, undefined]);
});

test('callers that wait are served in the order in which they came', async () => {
  const queue = new ReferenceQueue<string>();
  const taken: string[] = [];
  const takers = [1, 2, 3].map(async (n) => taken.push(`${n} ${(await queue.take()).tag}`));
  await settle();
  enqueue(queue, 'a', 'b', 'c', 'd');
  await Promise.all(takers);
  expect(taken).toEqual(['1 a', '2 b', '3 c']);
  expect([...queue].map(({ tag }) => tag)).toEqual(['d']);
});

test('a caller leaves by its signal, and no reference is lost', async () => {
  const queue = new ReferenceQueue<string>();
  const left = new AbortController();
  const leaving = queue.take({ signal: left.signal });
  const staying = queue.take({ signal: new AbortController().signal });
  const reason = new Error('no longer needed');
  left.abort(reason);
  enqueue(queue, 'a', 'b');
  await expect(leaving).rejects.toBe(reason);
  expect((await staying).tag).toBe('a');
  expect(queue.length).toBe(1);
  await expect(queue.take({ signal: left.signal })).rejects.toBe(reason);
  expect(queue.length).toBe(1);
});

test('an abort right after the arrival of a reference does not lose it', async () => {
  const queue = new ReferenceQueue<string>();
  const controller = new AbortController();
  const taking = queue.take({ signal: controller.signal });
  enqueue(queue, 'a');
  controller.abort();
  expect((await taking).tag).toBe('a');
});

test('many waits of one signal add one listener, which goes with the last wait', async () => {
  const queue = new ReferenceQueue<string>();
  const listeners: string[] = [];
  const counted = {
    aborted: false,
    addEventListener: () => listeners.push('added'),
    removeEventListener: () => listeners.push('removed'),
  } as unknown as AbortSignal;
  const takers = Array.from({ length: 20 }, () => queue.take({ signal: counted }));
  expect(listeners).toEqual(['added']);
  enqueue(queue, ...takers.map((_, i) => String(i)));
  await Promise.all(takers);
  expect(listeners).toEqual(['added', 'removed']);
});

test('a signal that refuses a listener rejects its caller and leaves no wait behind', async () => {
  const queue = new ReferenceQueue<string>();
  const broken = {
    aborted: false,
    addEventListener: () => {
      throw new Error('refused');
    },
    removeEventListener: () => {},
  } as unknown as AbortSignal;
  await expect(queue.take({ signal: broken })).rejects.toThrow('refused');
  enqueue(queue, 'a');
  expect(queue.poll()?.tag).toBe('a');
});

test('a signal that calls its listener at once rejects its caller, and no other', async () => {
  const queue = new ReferenceQueue<string>();
  const waiting = queue.take();
  const hasty = {
    aborted: false,
    reason: new Error('at once'),
    addEventListener: (_event: string, listener: () => void) => listener(),
    removeEventListener: () => {},
  } as unknown as AbortSignal;
  await expect(queue.take({ signal: hasty })).rejects.toThrow('at once');
  enqueue(queue, 'a');
  expect((await waiting).tag).toBe('a');
  enqueue(queue, 'b');
  expect(queue.poll()?.tag).toBe('b');
});

test('an iteration takes references as they arrive; leaving it takes no further one', async () => {
  const queue = new ReferenceQueue<string>();
  const seen: string[] = [];
  const loop = (async () => {
    for await (const { tag } of queue) {
      seen.push(tag);
      if (tag === 'last') break;
    }
  })();
  enqueue(queue, 'a');
  await settle();
  enqueue(queue, 'b', 'last', 'more');
  await loop;
  expect([seen, queue.length]).toEqual([['a', 'b', 'last'], 1]);
});

test('return() ends a wait of the iterator, and the next reference stays in the queue', async () => {
  const queue = new ReferenceQueue<string>();
  const iterator = queue[Symbol.asyncIterator]();
  const waiting = iterator.next();
  expect(await iterator.return?.()).toEqual({ done: true, value: undefined });
  expect(await waiting).toEqual({ done: true, value: undefined });
  enqueue(queue, 'a');
  expect(await iterator.next()).toEqual({ done: true, value: undefined });
  expect(queue.length).toBe(1);
});

test('refuses malformed options', async () => {
  const queue = new ReferenceQueue();
  await expect(queue.take({ signal: 1 } as never)).rejects.toThrow(InvalidArgumentError);
  await expect(queue.take({ timeout: 1 } as never)).rejects.toThrow('unknown option `timeout`');
  await expect(queue.take(new AbortController().signal as never)).rejects.toThrow(
    InvalidArgumentError,
  );
});
