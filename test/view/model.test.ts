/** Plays random scripts on views and on arrays of bytes, and compares the two after each step. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Format, type MemoryView, memoryview, ViewError } from '../../src/view/index.js';
import { ArrayModel, MODEL_FORMATS } from './array-model.js';

const position = fc.option(fc.integer({ min: -12, max: 12 }), { nil: undefined });
const step = fc.constantFrom(undefined, 1, 2, 3, -1, -2, -3);
const which = fc.nat({ max: 30 });
const script = fc.array(
  fc.oneof(
    fc.record({ op: fc.constant('slice' as const), which, start: position, end: position, step }),
    fc.record({
      op: fc.constant('cast' as const),
      which,
      format: fc.constantFrom(...MODEL_FORMATS),
    }),
    fc.record({ op: fc.constant('assign' as const), which, from: which }),
    fc.record({ op: fc.constant('release' as const), which }),
  ),
  { minLength: 1, maxLength: 14 },
);
/** At an odd offset, so that typed arrays cannot read most formats. */
const offset = fc.constantFrom(0, 8, 1, 3);

interface Pair {
  readonly view: MemoryView;
  readonly model: ArrayModel;
}

test('a view reads, copies and changes what an array of bytes does', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), offset, script, (bytes, at, ops) => {
      const buffer = new ArrayBuffer(at + bytes.length + 5);
      const source = new Uint8Array(buffer, at, bytes.length);
      source.set(bytes);
      const memory = [...bytes];
      const pairs: Pair[] = [{ view: memoryview(source), model: ArrayModel.of(memory) }];
      for (const each of ops) {
        const pair = pairs[each.which % pairs.length] as Pair;
        if (each.op === 'slice') {
          const view = pair.view.slice(each.start, each.end, each.step);
          pairs.push({ view, model: pair.model.slice(each.start, each.end, each.step) });
        } else if (each.op === 'cast') {
          const model = pair.model.cast(each.format);
          const view = orNone(() => pair.view.cast(each.format as Format));
          expect(view === undefined).toBe(isRefused(model, pair));
          if (view !== undefined && model !== undefined) pairs.push({ view, model });
        } else if (each.op === 'assign') {
          const from = pairs[each.from % pairs.length] as Pair;
          const done = orNone(() => {
            pair.view.assign(from.view);
            return true;
          });
          expect(done ?? false).toBe(pair.model.assign(from.model));
        } else if (pairs.length > 1) {
          pair.view.release();
          pairs.splice(pairs.indexOf(pair), 1);
        }
        expect([...source]).toEqual(memory);
        for (const { view, model } of pairs) {
          expect(view.toList()).toEqual(model.items());
          expect([...view]).toEqual(model.items());
          expect([...view.toBytes()]).toEqual(model.bytes());
          expect(model.items().map((_, i) => view.at(i))).toEqual(model.items());
        }
      }
      expect(new Uint8Array(buffer, 0, at).every((byte) => byte === 0)).toBe(true);
    }),
    { numRuns: 400, seed: 17 },
  );
});

/** CPython refuses a cast of one item with a stride, although its bytes follow each other; ours too. */
function isRefused(model: ArrayModel | undefined, { view }: Pair): boolean {
  return model === undefined || !view.cContiguous;
}

function orNone<R>(call: () => R): R | undefined {
  try {
    return call();
  } catch (error) {
    if (error instanceof ViewError) return undefined;
    throw error;
  }
}
