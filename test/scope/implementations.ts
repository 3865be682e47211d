/** The implementations that a contract suite tests: our own, and the platform's if it has one. */
import { OwnAsyncDisposableStack } from '../../src/scope/own-async-disposable-stack.js';
import { OwnDisposableStack } from '../../src/scope/own-disposable-stack.js';
import { OwnSuppressedError } from '../../src/scope/own-suppressed-error.js';

const platform: {
  readonly DisposableStack?: DisposableStackConstructor;
  readonly AsyncDisposableStack?: AsyncDisposableStackConstructor;
  readonly SuppressedError?: SuppressedErrorConstructor;
} = globalThis;

export const disposableStacks = both<DisposableStackConstructor>(
  OwnDisposableStack,
  platform.DisposableStack,
);
export const asyncDisposableStacks = both<AsyncDisposableStackConstructor>(
  OwnAsyncDisposableStack,
  platform.AsyncDisposableStack,
);
export const suppressedErrors = both<SuppressedErrorConstructor>(
  OwnSuppressedError,
  platform.SuppressedError,
);

/** Gives the number of turns of the microtask queue until a promise settles. */
export async function turnsUntilSettled(promise: Promise<unknown>): Promise<number> {
  let settled = false;
  const mark = () => {
    settled = true;
  };
  promise.then(mark, mark);
  let turns = 0;
  while (!settled) {
    await undefined;
    turns++;
  }
  return turns;
}

function both<C>(ours: C, platforms: C | undefined): [string, C][] {
  const found: [string, C][] = [['ours', ours]];
  if (platforms !== undefined) found.push(["the platform's", platforms]);
  return found;
}
