/** The outcome of a promise so far, without a wait for it. */
import { settle } from '../kit/settle.js';

export type Outcome<T> =
  | { readonly is: 'pending' }
  | { readonly is: 'resolved'; readonly value: T }
  | { readonly is: 'rejected'; readonly error: unknown };

/** Watches a promise. Call the result to get its outcome so far. */
export function outcomeOf<T>(promise: Promise<T>): () => Outcome<T> {
  let outcome: Outcome<T> = { is: 'pending' };
  promise.then(
    (value) => {
      outcome = { is: 'resolved', value };
    },
    (error: unknown) => {
      outcome = { is: 'rejected', error };
    },
  );
  return () => outcome;
}

/** The error that a promise has rejected with. Throws if the promise has not rejected after all microtasks have run. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  const outcome = outcomeOf(promise);
  await settle();
  const ended = outcome();
  if (ended.is !== 'rejected') throw new Error(`expected a rejection, but it is ${ended.is}`);
  return ended.error;
}
