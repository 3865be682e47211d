import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Linked, LinkedList } from '../../src/core/linked-list.js';

class Item implements Linked<Item> {
  previous: Item | null = null;
  next: Item | null = null;
  readonly name: number;
  constructor(name: number) {
    this.name = name;
  }
}

test('behaves like an array under any sequence of operations', () => {
  const step = fc.oneof(
    fc.constantFrom('append' as const, 'prepend' as const, 'shift' as const, 'pop' as const),
    fc.record({ remove: fc.nat() }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const list = new LinkedList<Item>();
      const model: Item[] = [];
      for (const [i, operation] of steps.entries()) {
        if (operation === 'append') {
          const item = new Item(i);
          list.append(item);
          model.push(item);
        } else if (operation === 'prepend') {
          const item = new Item(i);
          list.prepend(item);
          model.unshift(item);
        } else if (operation === 'shift') expect(list.shift()).toBe(model.shift() ?? null);
        else if (operation === 'pop') expect(list.pop()).toBe(model.pop() ?? null);
        else if (model.length > 0) {
          const [item] = model.splice(operation.remove % model.length, 1) as [Item];
          list.remove(item);
          expect([item.previous, item.next]).toEqual([null, null]);
        }
        expect([list.length, list.first, list.last]).toEqual([
          model.length,
          model[0] ?? null,
          model.at(-1) ?? null,
        ]);
      }
      expect([...list]).toEqual(model);
    }),
  );
});

test('the current item may be removed while the list is walked', () => {
  const list = new LinkedList<Item>();
  for (let i = 0; i < 6; i++) list.append(new Item(i));
  for (const item of list) if (item.name % 2 === 0) list.remove(item);
  expect([...list].map(({ name }) => name)).toEqual([1, 3, 5]);
});
