/**
 * The access to a shared store, with a circuit breaker for each part of it. All caches of one store object share one access.
 *
 * ```
 *   request ──▶ half of its time is over ──▶ its time is over ──▶ silent slots rest ──after the rest, with the next call──▶ probe
 *                 │                             ▲                      ▲                                                    │
 *                 └─▶ health check: names ──────┘                      └───────────────── no answer ────────────────────────┤
 *                     are read                                                                 answered: silent slots are probed
 * ```
 *
 * A store may lose one shard. So a request that has waited for half of its time begins a health check: names in all parts of the
 * store, and those that were asked last, are read once. When the time of the request is over, the slots that gave no answer rest.
 * All others are used as before. If none gave an answer, the whole store rests. So a loss costs one call its timeout, whatever
 * was lost.
 *
 * A store may also answer reads and leave writes without an answer. Then only its writes rest, and the probe writes.
 *
 * While a slot rests, calls go on without it. After the rest, an answer of any slot begins a probe. No call waits for it. A store may
 * also report success without it, so no caller of this class takes an answer to a write for a proof.
 */
import type { Clock } from '../../core/clock.js';
import { runInOwnContext } from '../../core/own-context.js';
import type { SharedStore } from '../shared-store.js';
import { bySlot, hashSlotOf, namesAcross } from './hash-slot.js';
import { inTime } from './in-time.js';
import { LockHealth } from './lock-health.js';
import { SharedStoreError } from './shared-store-error.js';
import { StoreHealth } from './store-health.js';
import { StoreHealthCheck } from './store-health-check.js';
import { StoreTime } from './store-time.js';

/** The shortest rest, in milliseconds. A rest is also at least twice the longest wait under it. */
const REST_MILLIS = 5_000;
/** How many of the last names are remembered; a power of 2. */
const RECENT = 32;
/** The most silent slots that are probed at a time. */
const MAX_PROBES = 64;
/** How many reads of health checks the store is sent at most, beyond one for each request of the caches. */
const SPARE_READS = 500;
/** How long a value lives in the store that was written as a probe, in milliseconds. */
const PROBE_LIFE_MILLIS = 1_000;
const NOTHING_KNOWN = { answered: [], silent: [] };

type ErrorListener = (error: unknown) => void;

/** A request of a cache to the store. */
interface StoreRequest<T> {
  /** What it asks for, at least one name. */
  readonly names: readonly string[];
  readonly send: () => PromiseLike<T> | T;
  /** How long it waits for an answer, in milliseconds. */
  readonly millis: number;
  /** Gives the result of an answer. It may throw. */
  readonly resultOf?: (answer: T) => T;
  /** Notes a write without an answer; absent for a read. */
  readonly noteSilentWrite?: (restsUntil: number) => void;
  /** Whether other writes under these names get no answer. */
  readonly isRestingWrite?: boolean;
}

const accesses = /* @__PURE__ */ new WeakMap<SharedStore, StoreAccess>();

/** The access to one store object. */
export class StoreAccess {
  /** The time that the store and its locks have for their answers. */
  readonly time: StoreTime;
  readonly #store: SharedStore;
  readonly #clock: Clock;
  readonly #listeners = new Set<ErrorListener>();
  readonly #health = new StoreHealth();
  /** Where writes are left without an answer, although reads are answered. */
  readonly #writes = new StoreHealth();
  /** The names under which a write was answered last. */
  readonly #written: string[] = [];
  readonly #locks = new LockHealth();
  readonly #recent: string[] = [];
  #asked = 0;
  #answeredWrites = 0;
  #healthCheck: StoreHealthCheck | undefined = undefined;
  #spareReads = SPARE_READS;
  #isListening = false;

  private constructor(store: SharedStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    this.time = new StoreTime(clock);
  }

  /** The access that all caches of a store share. The first cache's clock counts. */
  static to(store: SharedStore, clock: Clock): StoreAccess {
    const access = accesses.get(store) ?? new StoreAccess(store, clock);
    accesses.set(store, access);
    return access;
  }

  /** The share of the store that gives no answers, from 0 to 1. */
  get silentShare(): number {
    return this.#health.silentShare;
  }

  /** The share of the store that leaves only writes without an answer, from 0 to 1. */
  get silentWriteShare(): number {
    return this.#writes.silentShare;
  }

  /** Whether a part of the store gives no answers. */
  get isTroubled(): boolean {
    return this.#health.isTroubled;
  }

  /** Whether one of these names gives no answers. */
  rests(names: readonly string[]): boolean {
    return names.some((name) => this.#health.restOf(name) !== undefined);
  }

  /** Whether writes under one of these names get no answer. */
  writesRest(names: readonly string[]): boolean {
    return names.some((name) => this.#writes.restOf(name) !== undefined);
  }

  /** Whether a call may ask for these names now. If not, a name whose rest is over is probed in the background. */
  mayAsk(names: readonly string[], millis: number): boolean {
    if (!this.rests(names)) return true;
    this.#probeRested(this.#health, millis);
    return false;
  }

  /** Whether values may be written under these names now, and read back. If not, the store is probed as in {@link mayAsk}. */
  mayWrite(names: readonly string[], millis: number): boolean {
    if (!this.mayAsk(names, millis)) return false;
    if (!this.writesRest(names)) return true;
    this.#probeRested(this.#writes, millis);
    return false;
  }

  /** Adds a listener to the errors that the store does not reject with. The store itself gets one listener for all caches. */
  onError(listener: ErrorListener): void {
    this.#listeners.add(listener);
    if (this.#isListening) return;
    this.#isListening = true;
    this.#store.on?.('error', this.#emit);
  }

  offError(listener: ErrorListener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0 || !this.#isListening) return;
    this.#isListening = false;
    this.#store.off?.('error', this.#emit);
  }

  /** Reads the values with these names. A value that could not be read may be `undefined` too. */
  get(names: string[], millis: number): Promise<unknown[]> {
    const store = this.#store;
    return this.#ask({
      names,
      send: () =>
        typeof store.getMany === 'function'
          ? store.getMany(names)
          : Promise.all(names.map((name) => store.get(name))),
      millis,
      resultOf: (values) => (Array.isArray(values) ? values : []),
    });
  }

  /** Reads one value. */
  getOne(name: string, millis: number): Promise<unknown> {
    return this.#ask({ names: [name], send: () => this.#store.get(name), millis });
  }

  /** Sends a value, to be kept for `ttl` milliseconds; 0 for no limit. */
  set(name: string, value: unknown, ttl: number, millis: number): Promise<unknown> {
    return this.#write(name, () => this.#store.set(name, value, ttl), millis, throwIfRefused);
  }

  /** Asks for the removal of a value. */
  async delete(name: string, millis: number): Promise<void> {
    await this.#write(name, () => this.#store.delete(name), millis);
  }

  // ── Locks ──

  /** Whether a load may ask for a lock now. After a rest, one load may. */
  mayLock(name: string, millis: number): boolean {
    return this.#locks.mayAsk(name, this.#clock.now(), this.#restAfter(millis));
  }

  /** Waits for an answer about a lock, at most `millis`. Then rejects with a `SharedStoreError`, and the lock begins to rest. */
  askLock<T>(name: string, request: () => PromiseLike<T>, millis: number): Promise<T> {
    const locks = this.#locks;
    const { answers } = locks;
    return inTime(this.time, request, millis, {
      onLate: () => {
        locks.missed(name, answers, this.#restAfter(millis));
        return new SharedStoreError('The lock gave no answer within `storeTimeoutMillis`.');
      },
      onAnswer: (answer) => {
        locks.answered(name);
        return answer;
      },
    });
  }

  // ── Parts of a request ──

  #write(
    name: string,
    send: () => PromiseLike<unknown>,
    millis: number,
    resultOf: (answer: unknown) => unknown = itself,
  ): Promise<unknown> {
    const before = this.#answeredWrites;
    return this.#ask({
      names: [name],
      send,
      millis,
      resultOf: (answer) => {
        this.#written[this.#answeredWrites++ % RECENT] = name;
        if (this.#writes.answered(name)) this.#probeAll(this.#writes, millis);
        return resultOf(answer);
      },
      noteSilentWrite: (restsUntil) => {
        const others = this.#answeredWrites === before ? [] : this.#written;
        this.#writes.judge(others.map(hashSlotOf), [name], restsUntil);
      },
      isRestingWrite: this.writesRest([name]),
    });
  }

  /** Waits for an answer of the store, at most `millis`. Then rejects with a `SharedStoreError`, and silent slots begin to rest. */
  #ask<T>(request: StoreRequest<T>): Promise<T> {
    const { names, send, millis, resultOf = itself, isRestingWrite = false } = request;
    this.#recent[this.#asked++ % RECENT] = names[0] as string;
    this.#spareReads = Math.min(this.#spareReads + 1, SPARE_READS);
    let check: StoreHealthCheck | undefined;
    return inTime(this.time, send, millis, {
      onSlow: (left) => {
        if (!isRestingWrite) check = this.#checkHealth(names, left);
      },
      onLate: () => {
        if (isRestingWrite) this.#restAlone(request);
        else this.#conclude(request, check);
        return new SharedStoreError('The store gave no answer within `storeTimeoutMillis`.');
      },
      onAnswer: (answer) => {
        this.#answered(names, millis);
        return resultOf(answer);
      },
    });
  }

  /** Lets a request rest that got no answer, although others do. */
  #restAlone<T>({ names, millis, noteSilentWrite }: StoreRequest<T>): void {
    const restsUntil = this.#restAfter(millis);
    if (noteSilentWrite === undefined) this.#health.missed(names[0] as string, restsUntil);
    else noteSilentWrite(restsUntil);
  }

  #restAfter(millis: number): number {
    return this.#clock.now() + Math.max(REST_MILLIS, 2 * millis);
  }

  #answered(names: readonly string[], millis: number): void {
    const health = this.#health;
    if (health.isTroubled) {
      const hasRecovered = names.map((name) => health.answered(name)).includes(true);
      if (hasRecovered) this.#probeAll(health, millis);
    }
    for (const part of [health, this.#writes]) this.#probeRested(part, millis);
  }

  /**
   * Finds out which parts of the store answer. A store that no cache uses any more is left alone: it may be closed. So is a part that is
   * known to be silent: its client keeps each request that it cannot send. A store that is slow, and answers, is sent no more reads than
   * the requests of the caches.
   */
  #checkHealth(names: readonly string[], millisLeft: number): StoreHealthCheck | undefined {
    if (this.#listeners.size === 0 || this.rests(names)) return undefined;
    const now = this.time.now();
    const deadline = now + millisLeft;
    const present = this.#healthCheck;
    const isPresent = present !== undefined && !present.isOver(now);
    const read = isPresent ? bySlot(names) : this.#namesToCheck(names);
    if (read.size > this.#spareReads) return isPresent ? present : undefined;
    const check = isPresent ? present : new StoreHealthCheck(this.#store, deadline);
    this.#healthCheck = check;
    this.#spareReads -= check.read(read, deadline);
    return check;
  }

  /** Names in all parts of the store by their slots. */
  #namesToCheck(names: readonly string[]): ReadonlyMap<number, string> {
    return bySlot([...names, ...this.#recent, ...namesAcross(names[0] as string)]);
  }

  /** Lets the slots rest that gave no answer to a request or to its health check. If all of its names answer, the request rests alone. */
  #conclude<T>(request: StoreRequest<T>, check: StoreHealthCheck | undefined): void {
    const { names, millis } = request;
    if (this.rests(names)) return; // Another request has found it out.
    const health = this.#health;
    if (check === undefined && this.#listeners.size > 0 && !health.isProbed) {
      this.#probe(health, () => this.#suspectAll(request));
      return;
    }
    const { answered, silent } = check?.resultAt(this.time.now()) ?? NOTHING_KNOWN;
    health.judge(answered, silent, this.#restAfter(millis));
    if (!this.rests(names)) this.#restAlone(request);
  }

  /**
   * For a request that got no answer while the store was too slow for a health check: the whole store rests until a late check has found
   * out which parts of it answer. So a lost shard costs one call its timeout then, too. If even the late check would be too much, all
   * parts rest as silent ones do.
   */
  async #suspectAll<T>(request: StoreRequest<T>): Promise<void> {
    const { names, millis } = request;
    const health = this.#health;
    const asked = [...this.#namesToCheck(names).values()];
    health.suspectAll(asked, this.#restAfter(millis));
    if (this.#spareReads < -SPARE_READS) return;
    this.#spareReads -= asked.length;
    const answers = await Promise.all(asked.map((name) => this.#ping(health, name, millis)));
    if (this.rests(names)) return;
    const answered = asked.filter((_, at) => answers[at] === true);
    health.judge(answered.map(hashSlotOf), [], this.#restAfter(millis));
    this.#restAlone(request);
  }

  // ── Probes ──

  /** Runs a probe. Callers begin one of reads and one of writes at a time. No call waits for it. */
  #probe(health: StoreHealth, run: () => Promise<unknown>): void {
    health.isProbed = true;
    void runInOwnContext(run).finally(() => {
      health.isProbed = false;
    });
  }

  /** Probes the silent slots after an answer of one. A probe that still waits in another part of the store does not hold them up. */
  #probeAll(health: StoreHealth, millis: number): void {
    if (health.isRecovering) return;
    health.isRecovering = true;
    void runInOwnContext(() => this.#probeSilent(health, millis)).finally(() => {
      health.isRecovering = false;
    });
  }

  /** Probes a slot whose rest is over, and after an answer the other silent slots. After none, they are left alone for a rest. */
  #probeRested(health: StoreHealth, millis: number): void {
    const now = this.#clock.now();
    if (!health.isTroubled || health.isProbed || now < health.noProbeBefore) return;
    const name = health.nextToProbe(now);
    if (name === undefined) return;
    this.#probe(health, async () => {
      if (await this.#ping(health, name, millis)) this.#probeAll(health, millis);
      else health.noProbeBefore = this.#restAfter(millis);
    });
  }

  async #probeSilent(health: StoreHealth, millis: number): Promise<void> {
    const silent = health.silentNames().slice(0, MAX_PROBES);
    const answers = await Promise.all(silent.map((name) => this.#ping(health, name, millis)));
    if (health.isTroubled && !answers.includes(false)) await this.#probeSilent(health, millis);
  }

  /** Whether a name is answered in time. A refusal is an answer too. A write goes to another name in the slot, and does not last. */
  async #ping(health: StoreHealth, name: string, millis: number): Promise<boolean> {
    const store = this.#store;
    const late = new SharedStoreError('The store gave no answer to a probe.');
    const request = (): Promise<unknown> =>
      health === this.#writes ? store.set(`${name}:probe`, '', PROBE_LIFE_MILLIS) : store.get(name);
    const isAnswered = await inTime(this.time, request, millis, {
      onLate: () => late,
    }).then(
      () => true,
      (error: unknown) => error !== late,
    );
    if (isAnswered) health.answered(name);
    else health.missed(name, this.#restAfter(millis));
    return isAnswered;
  }

  readonly #emit = (error: unknown): void => {
    for (const listener of [...this.#listeners]) listener(error);
  };
}

function itself<T>(answer: T): T {
  return answer;
}

function throwIfRefused(done: unknown): unknown {
  if (done === false) throw new SharedStoreError('The store refused a write.');
  return done;
}
