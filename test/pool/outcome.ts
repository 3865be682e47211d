/** How a promise has ended so far, without waiting for it. */
import { settle } from '../kit/settle.js';

export type Outcome<T> =
  | { readonly is: 'pending' }
  | { readonly is: 'resolved'; readonly value: T }
  | { readonly is: 'rejected'; readonly error: unknown };

/** Watches a promise; call the result to see how it has ended so far. */
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

/** The error that a promise has been rejected with; throws if it has not been, after all that can run has run. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  const outcome = outcomeOf(promise);
  await settle();
  const ended = outcome();
  if (ended.is !== 'rejected') throw new Error(`expected a rejection, but it is ${ended.is}`);
  return ended.error;
}
