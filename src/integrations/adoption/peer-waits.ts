/**
 * The callers that wait for a peer. Peers have no signals and no timeout for a single caller, so the adoption ends the waits. One
 * timer serves all deadlines. The request of a caller that has left is taken over by a later caller. A resource that comes before that
 * goes straight back to the peer.
 */
import { abortReason } from '../../core/abort-reason.js';
import { captureAsyncContext } from '../../core/async-context.js';
import type { Clock } from '../../core/clock.js';
import { DeadlineTimer } from '../../core/deadline-timer.js';
import { type Linked, LinkedList } from '../../core/linked-list.js';
import { type HeapItem, MinHeap, NOT_IN_HEAP } from '../../core/min-heap.js';
import { SignalListeners } from '../../core/signal-listeners.js';
import type { Grant } from '../../pool/loan/grant.js';
import type { LoanOrigin } from '../../pool/loan/loan-origin.js';
import type { LeaseOptions } from '../../pool/pool-options.js';
import { LeftRequests } from './left-requests.js';
import type { PeerRequest } from './peer-pool.js';

/** Told of the peer's answers, and of waits that end without one. */
export interface PeerWaitsListener<T> {
  delivered(wait: PeerWait<T>, resource: T): void;
  /** Asks the peer for a caller whose request was dropped, or was that of another one and refused. */
  ask(wait: PeerWait<T>): void;
  /** A resource has come for a caller that has left. */
  deliveredLate(resource: T): void;
  /** The signal of a caller has ended its wait. */
  aborted(): void;
  /** The peer has refused a caller. */
  refused(): void;
  /** The error of a caller whose timeout is over. `stalledMillis` is how long the event loop was blocked, 0 if it was not. */
  timeoutError(wait: PeerWait<T>, stalledMillis: number): Error;
}

/** The wait whose promise is created now. */
let waiting: Pick<PeerWait<unknown>, 'settleBy'>;

/** One function for all waits: a function for each would be one more allocation per loan. */
const keepSettlers = (resolve: (granted: never) => void, reject: (reason: unknown) => void): void =>
  waiting.settleBy(resolve, reject);

/** One caller's wait, and the request that it is to the peer. */
export class PeerWait<T> implements PeerRequest<T>, Linked<PeerWait<T>>, HeapItem {
  previous: PeerWait<T> | null = null;
  next: PeerWait<T> | null = null;
  heapIndex: number = NOT_IN_HEAP;
  deadline = 0;
  /** Whether the wait has ended. */
  isOver = false;
  /** The request that the peer was asked with for this caller: its own, or that of a caller that has left. */
  request: PeerWait<T> | null = null;
  /** The caller that gets the answer to this request; `null` if it has left. */
  caller: PeerWait<T> | null = null;
  /** Whether the peer has answered this request. A second answer has no effect. */
  isAnswered = false;
  readonly grant: Grant<T, unknown>;
  readonly origin: LoanOrigin<T> | undefined;
  readonly since: number;
  readonly timeoutMillis: number;
  readonly signal: AbortSignal | undefined;
  readonly priority: number | undefined;
  #resolve: ((granted: unknown) => void) | undefined = undefined;
  #reject: ((reason: unknown) => void) | undefined = undefined;
  readonly #waits: PeerWaits<T>;

  constructor(
    waits: PeerWaits<T>,
    grant: Grant<T, unknown>,
    origin: LoanOrigin<T> | undefined,
    since: number,
    timeoutMillis: number,
    { signal, priority }: LeaseOptions,
  ) {
    this.#waits = waits;
    this.grant = grant;
    this.origin = origin;
    this.since = since;
    this.timeoutMillis = timeoutMillis;
    this.signal = signal;
    this.priority = priority;
  }

  /** Notes that `request` is answered for `caller`. */
  static bind<T>(caller: PeerWait<T>, request: PeerWait<T>): void {
    caller.request = request;
    request.caller = caller;
  }

  /** Creates the caller's promise. */
  promise<R>(): Promise<R> {
    waiting = this;
    return new Promise<R>(keepSettlers);
  }

  /**
   * Keeps what settles the caller's promise, until it is settled: a peer that keeps its requests must not keep the lease from being
   * collected.
   */
  settleBy(
    resolve: ((granted: never) => void) | undefined,
    reject: ((reason: unknown) => void) | undefined,
  ): void {
    this.#resolve = resolve as ((granted: unknown) => void) | undefined;
    this.#reject = reject;
  }

  resolve(granted: unknown): void {
    const resolve = this.#resolve;
    this.settleBy(undefined, undefined);
    resolve?.(granted);
  }

  reject(reason: unknown): void {
    const reject = this.#reject;
    this.settleBy(undefined, undefined);
    reject?.(reason);
  }

  deliver(resource: T): void {
    this.#waits.deliver(this, resource);
  }

  refuse(error: unknown): void {
    this.#waits.refuse(this, error);
  }
}

/** All waits for one peer. */
export class PeerWaits<T> {
  readonly #listener: PeerWaitsListener<T>;
  readonly #commonTimeoutMillis: number;
  /** The waits with the common timeout, in the order of their deadlines. */
  readonly #common = new LinkedList<PeerWait<T>>();
  /** The other waits. */
  readonly #others = new LinkedList<PeerWait<T>>();
  readonly #ownDeadlines = new MinHeap<PeerWait<T>>(({ deadline }) => deadline);
  readonly #timer: DeadlineTimer;
  readonly #signals = new SignalListeners<PeerWait<T>>((wait, reason) => this.#abort(wait, reason));
  readonly #left = new LeftRequests<PeerWait<T>>();

  /** `commonTimeoutMillis` is the timeout of callers that give none. */
  constructor(clock: Clock, commonTimeoutMillis: number, listener: PeerWaitsListener<T>) {
    this.#commonTimeoutMillis = commonTimeoutMillis;
    this.#listener = listener;
    this.#timer = new DeadlineTimer(clock, captureAsyncContext(), (now, stalledMillis) =>
      this.#expire(now, stalledMillis),
    );
  }

  /** Begins a wait. If its signal aborts at once, or the signal or the clock throws, the wait is over. */
  begin(wait: PeerWait<T>): void {
    const { signal, timeoutMillis } = wait;
    wait.deadline = wait.since + timeoutMillis;
    this.#listOf(wait).append(wait);
    try {
      if (timeoutMillis !== Number.POSITIVE_INFINITY) {
        if (timeoutMillis !== this.#commonTimeoutMillis) this.#ownDeadlines.add(wait);
        this.#timer.expect(wait.deadline);
      }
      if (signal === undefined) return;
      this.#signals.add(signal, wait);
      if (signal.aborted) this.#abort(wait, abortReason(signal)); // One of another make may have aborted meanwhile.
    } catch (error) {
      this.#giveUp(wait, error);
    }
  }

  /** How many requests the peer still has to answer although their callers have left. */
  get left(): number {
    return this.#left.count;
  }

  /** Has a caller take over the request of one that has left; false if there is none, so that the peer has to be asked. */
  takesOver(wait: PeerWait<T>): boolean {
    const request = this.#left.take(wait.priority);
    if (request !== undefined) PeerWait.bind(wait, request);
    return request !== undefined;
  }

  deliver(request: PeerWait<T>, resource: T): void {
    if (request.isAnswered) return;
    const caller = this.#callerOf(request);
    if (caller === null) {
      this.#listener.deliveredLate(resource);
      return;
    }
    const served = caller === request ? caller : this.#firstBefore(caller);
    if (served !== caller && served.request !== null) PeerWait.bind(caller, served.request);
    this.#end(served);
    this.#listener.delivered(served, resource);
  }

  refuse(request: PeerWait<T>, error: unknown): void {
    if (request.isAnswered) return;
    const caller = this.#callerOf(request);
    if (caller === null) return;
    if (caller !== request) {
      this.#listener.ask(caller); // The peer may have refused the caller that has left, for the time that this one has waited.
      return;
    }
    this.#end(caller);
    this.#listener.refused();
    caller.reject(error);
  }

  /** Notes the answer to a request. Gives the caller that it is for, if that still waits. */
  #callerOf(request: PeerWait<T>): PeerWait<T> | null {
    const { caller } = request;
    request.isAnswered = true;
    request.caller = null;
    if (caller === null) this.#left.remove(request);
    return caller;
  }

  /** The caller that has waited longest: `caller` must not overtake it by a request that it has taken over. */
  #firstBefore(caller: PeerWait<T>): PeerWait<T> {
    const common = this.#common.first ?? caller;
    const other = this.#others.first ?? caller;
    const first = common.since <= other.since ? common : other;
    return first.request !== null && first.priority === caller.priority ? first : caller;
  }

  /** Whether no caller waits. */
  get isEmpty(): boolean {
    return this.#common.length === 0 && this.#others.length === 0;
  }

  /** Asks the peer once more for all callers that wait. It must not answer the earlier requests any more. */
  askAgain(): void {
    for (const wait of this.#common) this.#listener.ask(wait);
    for (const wait of this.#others) this.#listener.ask(wait);
  }

  /** Rejects all callers that wait. */
  rejectAll(reason: unknown): void {
    for (const wait of this.#common) this.#giveUp(wait, reason);
    for (const wait of this.#others) this.#giveUp(wait, reason);
  }

  #abort(wait: PeerWait<T>, reason: unknown): void {
    if (wait.isOver) return;
    this.#listener.aborted();
    this.#giveUp(wait, reason);
  }

  #giveUp(wait: PeerWait<T>, reason: unknown): void {
    if (wait.isOver) return;
    this.#end(wait);
    const { request } = wait;
    wait.request = null;
    if (request !== null) {
      request.caller = null;
      this.#left.add(request);
    }
    wait.reject(reason);
  }

  #end(wait: PeerWait<T>): void {
    wait.isOver = true;
    this.#listOf(wait).remove(wait);
    if (wait.heapIndex !== NOT_IN_HEAP) this.#ownDeadlines.remove(wait);
    if (wait.signal !== undefined) this.#signals.remove(wait.signal, wait);
    if (this.isEmpty) this.#timer.clear();
  }

  #listOf(wait: PeerWait<T>): LinkedList<PeerWait<T>> {
    return wait.timeoutMillis === this.#commonTimeoutMillis ? this.#common : this.#others;
  }

  #expire(now: number, stalledMillis: number): void {
    let next = this.#next();
    for (; next !== undefined && next.deadline <= now; next = this.#next()) {
      this.#giveUp(next, this.#listener.timeoutError(next, stalledMillis));
    }
    if (next !== undefined) this.#timer.expectNext(next.deadline);
  }

  /** The wait with the next deadline. */
  #next(): PeerWait<T> | undefined {
    const common = this.#common.first;
    const own = this.#ownDeadlines.first;
    if (common === null || common.deadline === Number.POSITIVE_INFINITY) return own;
    return own === undefined || common.deadline <= own.deadline ? common : own;
  }
}
