/**
 * Answers requests with what promises of a peer settle to. The two functions for a promise are used again for the next one, because
 * two new functions for each loan are a good part of what a loan costs.
 */
import type { PeerRequest } from './peer-pool.js';

/** How many answers are kept for later requests. */
const MAX_SPARE = 1_000;

const spare: Answer[] = [];

/** Answers one request after the other. */
class Answer {
  #request: PeerRequest<never> | undefined = undefined;
  readonly #deliver = (resource: unknown): void => this.#take()?.deliver(resource as never);
  readonly #refuse = (error: unknown): void => this.#take()?.refuse(error);

  await(request: PeerRequest<never>, promise: Promise<unknown>): void {
    this.#request = request;
    promise.then(this.#deliver, this.#refuse);
  }

  #take(): PeerRequest<never> | undefined {
    const request = this.#request;
    this.#request = undefined;
    if (spare.length < MAX_SPARE) spare.push(this);
    return request;
  }
}

/** Answers a request with what a promise of the peer settles to. */
export function answerWith<T>(request: PeerRequest<T>, promise: PromiseLike<T>): void {
  if (Object.getPrototypeOf(promise) === Promise.prototype) {
    const answer = spare.pop() ?? new Answer();
    answer.await(request, promise as Promise<T>);
    return;
  }
  // A promise of another make may call its functions twice, so they serve one request only.
  promise.then(
    (resource) => request.deliver(resource),
    (error: unknown) => request.refuse(error),
  );
}
