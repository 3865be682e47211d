import { expect, expectTypeOf, test } from 'vitest';
import { Heap } from '../../src/gc/index.js';
import {
  InvalidArgumentError,
  PhantomReference,
  ReferenceQueue,
  wasCollected,
} from '../../src/weak/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';
import { until } from '../kit/until.js';

test('a reference arrives when its target is gone, and never leads to it', async () => {
  const gone = new ReferenceQueue<string>();
  const target: { value: object | null } = { value: {} };
  const reference = new PhantomReference(target.value as object, gone, 'upload');
  await collectGarbage();
  expect([reference.get(), reference.isEnqueued, gone.length]).toEqual([undefined, false, 0]);
  target.value = null;
  await collectGarbage();
  expect([reference.get(), reference.isEnqueued]).toEqual([undefined, true]);
  expect(gone.poll()).toBe(reference);
  expect([reference.tag, reference.isEnqueued, gone.poll()]).toEqual(['upload', true, undefined]);
});

test('the caller need not keep the reference, and may wait for it', async () => {
  const gone = new ReferenceQueue<number>();
  const waiting = gone.take();
  (() => new PhantomReference({}, gone, 7))();
  await collectGarbage();
  expect((await waiting).tag).toBe(7);
});

test('a reference that was cleared does not arrive; one that was enqueued by hand arrives once', async () => {
  const gone = new ReferenceQueue<string>();
  const [cleared, enqueued] = (() => {
    const target = {};
    return [new PhantomReference(target, gone, 'a'), new PhantomReference(target, gone, 'b')];
  })();
  cleared.clear();
  expect([enqueued.enqueue(), enqueued.enqueue(), cleared.enqueue()]).toEqual([true, false, false]);
  await collectGarbage();
  expect([...gone]).toEqual([enqueued]);
});

test('does not keep its target alive, unless its tag does', async () => {
  const gone = new ReferenceQueue<unknown>();
  expect(
    await wasCollected(() => {
      const target = {};
      new PhantomReference(target, gone, 'tag');
      return target;
    }),
  ).toBe(true);
  expect(
    await wasCollected(() => {
      const target = {};
      new PhantomReference(target, gone, { target });
      return target;
    }),
  ).toBe(false);
});

test('a subclass carries what the clean-up needs, as in Java', async () => {
  class FileReference extends PhantomReference<string> {
    readonly descriptor: number;
    constructor(file: object, queue: ReferenceQueue<string>, descriptor: number) {
      super(file, queue, 'file');
      this.descriptor = descriptor;
    }
  }
  const gone = new ReferenceQueue<string>();
  (() => new FileReference({}, gone, 7))();
  await collectGarbage();
  const [reference] = [...gone];
  expect(reference).toBeInstanceOf(FileReference);
  expect((reference as FileReference).descriptor).toBe(7);
});

test('20,000 references arrive, and an iteration takes them in slices', async () => {
  const gone = new ReferenceQueue<number>();
  (() => {
    for (let i = 0; i < 20_000; i++) new PhantomReference({}, gone, i);
  })();
  const seen = new Set<number>();
  const loop = (async () => {
    for await (const { tag } of gone) if (seen.add(tag).size === 20_000) break;
  })();
  await collectGarbage();
  await until(() => seen.size === 20_000);
  await loop;
});

test('one queue takes references to objects and to nodes of a simulated heap', async () => {
  const gone = new ReferenceQueue<string>();
  const heap = new Heap();
  const node = heap.alloc();
  const ofNode = heap.phantom(node, gone, 'node');
  (() => new PhantomReference({}, gone, 'object'))();
  await collectGarbage();
  heap.drop(node);
  expect([...gone].map(({ tag }) => tag)).toEqual(['object', 'node']);
  expect(ofNode).toBeInstanceOf(PhantomReference);
  expect(ofNode.get()).toBe(undefined);
});

test('refuses malformed arguments; types follow the tag', () => {
  const gone = new ReferenceQueue<string>();
  const target = {};
  expect(() => new PhantomReference(1 as never, gone, 'x')).toThrow(InvalidArgumentError);
  expect(() => new PhantomReference(target, [] as never, 'x')).toThrow(/`queue` must be a Ref/);
  expect(() => new PhantomReference(target, new ReferenceQueue<object>(), target)).toThrow(
    /must not be the target/,
  );
  expectTypeOf(new PhantomReference(target, gone, 'x').tag).toEqualTypeOf<string>();
  // @ts-expect-error -- a tag is missing
  new PhantomReference(target, gone).clear();
  new PhantomReference(target, new ReferenceQueue()).clear();
});
