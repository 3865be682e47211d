/** `@memoized` as a legacy decorator. The compiler's own output for `experimentalDecorators` calls it. */
import 'reflect-metadata';
import { Get, UseGuards } from '@nestjs/common';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import * as memoizeModule from '../../src/memoize/index.js';

const { cacheOf } = memoizeModule;

/** Compiles a program with legacy decorators, runs it with these names, and gives what it returns. */
function run<T>(program: string, names: Record<string, unknown> = {}): T {
  const { outputText } = ts.transpileModule(`function program() { ${program} }`, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, experimentalDecorators: true },
  });
  const all = { ...memoizeModule, ...names };
  return new Function(...Object.keys(all), `${outputText}; return program();`)(
    ...Object.values(all),
  ) as T;
}

interface Shop {
  lookups: number;
  price(item: string): number;
  readonly name: string;
}

describe('memoized, as a legacy decorator', () => {
  const make = run<new () => Shop>(`
    class Shop {
      lookups = 0;
      @memoized({ max: 10 })
      price(item) { this.lookups++; return item.length; }
      @memoized()
      get name() { this.lookups++; return 'shop'; }
    }
    return Shop;
  `);

  test('a method and a getter have a cache for each instance', () => {
    const [shop, other] = [new make(), new make()];
    expect([shop.price('tea'), shop.price('tea'), shop.lookups]).toEqual([3, 3, 1]);
    expect([shop.name, shop.name, shop.lookups]).toEqual(['shop', 'shop', 2]);
    expect(other.lookups).toBe(0);
    expect(cacheOf(shop, 'price').delete('tea')).toBe(true);
    expect(shop.price('tea')).toBe(3);
    expect(shop.lookups).toBe(3);
  });

  test('the method keeps its name and its length, and stays enumerable as it was', () => {
    expect([make.prototype.price.name, make.prototype.price.length]).toEqual(['price', 1]);
    expect(Object.keys(make.prototype)).toEqual([]);
  });

  test('a static method has a cache', () => {
    const twice = run<() => number[]>(`
      let calls = 0;
      class Prices { @memoized() static of(item) { calls++; return item.length; } }
      return () => [Prices.of('tea'), Prices.of('tea'), calls];
    `);
    expect(twice()).toEqual([3, 3, 1]);
  });

  test('what a decorator below has recorded is kept: a route of Nest stays a route', () => {
    class Guard {}
    const orders = run<new () => { all(): unknown }>(
      `class Orders { @memoized() @Get('all') @UseGuards(Guard) all() { return []; } } return Orders;`,
      { Get, UseGuards, Guard },
    );
    expect(Reflect.getMetadata('path', orders.prototype.all)).toBe('all');
    expect(Reflect.getMetadata('__guards__', orders.prototype.all)).toEqual([Guard]);
  });

  test('a property is refused by name', () => {
    expect(() => run('class Shop { @memoized() price = 1; } return Shop;')).toThrow(
      'memoized: it decorates methods and getters, `price` is neither.',
    );
  });
});
