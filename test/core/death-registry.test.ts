/** Registries of a bounded size. V8 gives no control over deaths, so FinalizationRegistry is replaced by one that the test controls. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { collectGarbage } from '../kit/collect-garbage.js';
import { until } from '../kit/until.js';

interface FakeRegistry {
  readonly call: (held: unknown) => void;
  readonly tokens: Set<unknown>;
  registered: number;
}

let registries: FakeRegistry[];

beforeEach(() => {
  registries = [];
  vi.stubGlobal(
    'FinalizationRegistry',
    class {
      readonly #fake: FakeRegistry;
      constructor(call: (held: unknown) => void) {
        this.#fake = { call, tokens: new Set(), registered: 0 };
        registries.push(this.#fake);
      }
      register(_target: unknown, _held: unknown, token: unknown): void {
        this.#fake.registered++;
        this.#fake.tokens.add(token);
      }
      unregister(token: unknown): boolean {
        return this.#fake.tokens.delete(token);
      }
    },
  );
});

afterEach(() => {
  vi.unstubAllGlobals();
});

const { DeathRegistry } = await import('../../src/core/death-registry.js');

test('no registry has more than 1,024 live registrations, and a full one is followed by another', () => {
  const registry = new DeathRegistry<object>(() => {});
  for (let i = 0; i < 2_500; i++) registry.register({}, {}, {});
  expect(registries.map(({ registered }) => registered)).toEqual([1_024, 1_024, 452]);
});

test('registrations that end make room in the registry that is filled', () => {
  const seen: unknown[] = [];
  const registry = new DeathRegistry<object>((held) => seen.push(held));
  for (let i = 0; i < 20_000; i++) {
    const token = {};
    const shard = registry.register({}, token, token);
    shard.unregister(token);
    shard.unregister(token);
  }
  expect(registries).toHaveLength(1);
  const held = { name: 'held' };
  registry.register({}, held, held);
  registries[0]?.call(held);
  expect(seen).toEqual([held]);
});

test('a registry whose registrations have all ended is dropped, and one in use is kept', async () => {
  vi.unstubAllGlobals();
  const deaths: number[] = [];
  const registry = new DeathRegistry<number>((held) => deaths.push(held));
  (() => {
    for (let i = 0; i < 9_000; i++) registry.register({}, i);
  })();
  await until(async () => {
    await collectGarbage();
    return deaths.length === 9_000;
  });
  expect(new Set(deaths).size).toBe(9_000);
  (() => registry.register({}, -1))();
  await until(async () => {
    await collectGarbage();
    return deaths.at(-1) === -1;
  });
});
