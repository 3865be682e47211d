/**
 * Small programs of processes that share a cache. The source has the value `old`, and later `new`. The property is the sentence of
 * the guide: an invalidated result is never served again, once the process that is called can know of the invalidation.
 */
import type { memoize as Memoize } from '../../../src/memoize/index.js';
import type { sharedCache as SharedCache } from '../../../src/memoize/shared/index.js';
import { FakeClock } from '../../kit/fake-clock.js';
import { settle } from '../../kit/settle.js';
import type { Accesses } from './accesses.js';
import type { Program, Step } from './explorer.js';
import { type BusLine, type Fault, OutsideWorld } from './outside-world.js';

/** The code under test: the present one, or one with a guard removed. */
export interface Code {
  readonly memoize: typeof Memoize;
  readonly sharedCache: typeof SharedCache;
}

type Fn = (id: string) => Promise<string>;

/** How a program invalidates. */
type Invalidate = 'delete' | 'clear' | 'invalidateTags' | 'set';

/** What a process does in one step, when it may. */
interface Action {
  readonly process: string;
  readonly name: string;
  readonly may?: () => boolean;
  readonly run: () => void;
}

export interface ProgramOptions {
  readonly faults?: number;
  readonly kinds?: readonly Fault[];
  readonly invalidate?: Invalidate;
  readonly withBus?: boolean;
  /** How long a process waits for an answer; for ever by default. */
  readonly timeoutMillis?: number;
  /** Whether the store has the old result and all tokens at first; only the tokens; all but that of the cache; or nothing. */
  readonly before?: 'result' | 'tokens' | 'other tokens' | 'nothing';
  /** Whether the store reads several names one by one, as a cluster does. */
  readonly readsOneByOne?: boolean;
}

/** The keys that programs ask for. Most ask for the first alone. */
const KEYS = ['k', 'j'] as const;

/** How long ago the processes of a program have started, in milliseconds: they keep results of the store. */
const STARTED_MILLIS = 5_000;

/** What the store does not have at first. */
const MISSING = {
  result: [],
  tokens: [':entry:', ':tag:'],
  'other tokens': [':entry:', ':tag:', ':cache:'],
} as const;

/** The processes of one run. */
export class Service implements Program {
  readonly #code: Code;
  readonly #options: ProgramOptions;
  readonly world: OutsideWorld;
  readonly clock = new FakeClock();
  source = 'old';
  /** Those that have started. */
  readonly #processes: string[] = [];
  readonly #members: ReturnType<typeof Memoize<Fn>>[] = [];
  readonly #landings: { readonly who: string; readonly name: string; readonly land: () => void }[] =
    [];
  readonly #loads = new Map<string, number>();
  readonly #scripts: Action[][] = [];
  readonly #violations: string[] = [];

  constructor(code: Code, options: ProgramOptions) {
    this.#code = code;
    this.#options = options;
    this.world = new OutsideWorld(options.faults ?? 0, options.kinds ?? ['refused']);
  }

  /** Adds a process. */
  member(who: string): { cache: ReturnType<typeof Memoize<Fn>>; line: BusLine | undefined } {
    const { memoize, sharedCache } = this.#code;
    const { invalidate, withBus = true, timeoutMillis = Infinity, readsOneByOne } = this.#options;
    const store = this.world.store(who);
    if (readsOneByOne === true) delete store.getMany;
    const line = withBus ? this.world.bus(who) : undefined;
    this.world.accesses.read('time');
    this.#processes.push(who);
    const cache = memoize<Fn>(
      (id) => {
        const value = this.source;
        this.world.accesses.read('source');
        this.world.see(who, 'a load of', value);
        if (this.world.isCalm) return Promise.resolve(value);
        return new Promise((resolve) => {
          const count = (this.#loads.get(who) ?? 0) + 1;
          this.#loads.set(who, count);
          const name = `${who}: load ${count} of ${id} lands`;
          this.#landings.push({ who, name, land: () => resolve(value) });
        });
      },
      {
        name: 'v',
        ttl: 3_600_000,
        onError: () => {},
        ...(invalidate === 'invalidateTags' ? { tags: () => ['t'] } : {}),
        shared: sharedCache({
          store,
          storeTimeoutMillis: timeoutMillis,
          clock: this.clock,
          ...(line === undefined ? {} : { bus: line }),
        }),
      },
    );
    this.#members.push(cache);
    return { cache, line };
  }

  /** Prepares the store, as an earlier process has left it. */
  async prepare(): Promise<void> {
    const { before = 'result' } = this.#options;
    if (before !== 'nothing') {
      this.world.isCalm = true;
      const { cache } = this.member('earlier');
      for (const key of KEYS) await cache(key);
      await cache.flush();
      cache[Symbol.dispose]();
      this.#members.pop();
      for (const name of this.world.values.keys()) {
        if (MISSING[before].some((kind) => name.includes(kind))) this.world.values.delete(name);
      }
      this.world.isCalm = false;
    }
    this.world.replicate();
  }

  /** Adds what a process does, in order. */
  script(...actions: Action[]): void {
    this.#scripts.push(actions);
  }

  /** Changes the source, and invalidates. */
  change(cache: ReturnType<typeof Memoize<Fn>>): void {
    this.world.accesses.write('source');
    this.source = 'new';
    const { invalidate = 'delete' } = this.#options;
    if (invalidate === 'delete') cache.delete('k');
    else if (invalidate === 'clear') cache.clear();
    else if (invalidate === 'set') cache.set(['k'], Promise.resolve('new'));
    else cache.invalidateTags('t');
  }

  /** What a process does that changes the source, and invalidates. */
  changeBy(process: string, cache: ReturnType<typeof Memoize<Fn>>): Action {
    const run = (): void => this.change(cache);
    return { process, name: `${process} invalidates`, run };
  }

  /** Calls, and notes it if the old value comes although it must not. */
  expectNew(who: string, cache: ReturnType<typeof Memoize<Fn>>): Promise<void> {
    return cache('k').then((value) => {
      if (value !== 'new') this.#violations.push(`${who} got the ${value} value`);
    });
  }

  steps(): Step[] {
    const steps: Step[] = [...this.world.steps()];
    for (const landing of this.#landings) {
      const run = (): void => {
        this.#landings.splice(this.#landings.indexOf(landing), 1);
        this.world.see(landing.who, landing.name);
        landing.land();
      };
      steps.push({ id: landing.name, choice: landing.name, isFault: false, run });
    }
    if (this.world.isSilent) {
      const id = `the time of all requests is over, ${this.clock.now()}`;
      steps.push({ id, choice: id, isFault: false, run: () => this.#passTime() });
    }
    for (const script of this.#scripts) {
      const [next] = script;
      if (next === undefined || next.may?.() === false) continue;
      const { name, process } = next;
      const run = (): void => {
        script.shift();
        this.world.see(process, name);
        next.run();
      };
      steps.push({ id: name, choice: name, isFault: false, run });
    }
    return steps;
  }

  takeAccesses(): Accesses {
    return this.world.accesses.take();
  }

  state(): string {
    return [this.source, this.clock.now(), this.world.state()].join('\n');
  }

  async #passTime(): Promise<void> {
    const { world } = this;
    world.isSilent = false;
    world.accesses.write('time');
    for (const process of this.#processes) world.see(process, 'time passes');
    world.isTimePassing = true;
    await this.clock.advance((this.#options.timeoutMillis as number) + 1);
    world.isTimePassing = false;
  }

  /** All faults end, all invalidations arrive, and each process and a new one call. */
  async end(): Promise<void> {
    this.world.calm();
    for (const { land } of this.#landings) land();
    await settle();
    for (const member of this.#members) {
      for (let attempt = 0; !(await member.flush()); attempt++) {
        if (attempt === 3) throw new Error('an invalidation is never confirmed');
      }
    }
    await settle();
    const fresh = this.member('fresh').cache;
    // Without a bus, a process keeps its own entry until its ttl ends, unless it has invalidated it itself.
    const all = this.#options.withBus === false ? this.#members.slice(-2) : this.#members;
    for (const member of all) {
      await this.expectNew(member === fresh ? 'a new process' : 'a process, in the end,', member);
      await member.flush();
    }
    for (const member of this.#members) member[Symbol.dispose]();
    if (this.#violations.length > 0) throw new Error(this.#violations.join(', '));
  }
}

/** Makes a program of some code: an initial state for each run. */
type MakeProgram = (code: Code) => () => Promise<Service>;

function program(options: ProgramOptions, write: (service: Service) => void): MakeProgram {
  return (code) => async () => {
    const service = new Service(code, options);
    await service.prepare();
    write(service);
    await service.clock.advance(STARTED_MILLIS);
    return service;
  };
}

/** One process loads while another invalidates. */
function loadBesideInvalidation(options: ProgramOptions) {
  return program(options, (service) => {
    const one = service.member('one');
    const other = service.member('other');
    service.script({ process: 'one', name: 'one calls', run: () => void one.cache('k') });
    service.script(service.changeBy('other', other.cache));
  });
}

/** One process loads two keys while another invalidates all. */
function twoLoadsBesideClear(options: ProgramOptions) {
  return program({ ...options, invalidate: 'clear' }, (service) => {
    const one = service.member('one');
    const other = service.member('other');
    service.script({
      process: 'one',
      name: 'one calls',
      run: () => {
        for (const key of KEYS) void one.cache(key);
      },
    });
    service.script(service.changeBy('other', other.cache));
  });
}

/** A process invalidates, and calls. */
function invalidateThenCall(options: ProgramOptions) {
  return program(options, (service) => {
    const { cache } = service.member('one');
    service.script(service.changeBy('one', cache), {
      process: 'one',
      name: 'one calls',
      run: () => void service.expectNew('one', cache),
    });
  });
}

/** A process invalidates, calls, and clears its cache in one turn. */
function invalidateCallAndClear(options: ProgramOptions) {
  return program(options, (service) => {
    const { cache } = service.member('one');
    service.script({
      process: 'one',
      name: 'one invalidates, calls and clears',
      run: () => {
        service.change(cache);
        void service.expectNew('one', cache);
        cache.clear();
      },
    });
  });
}

/** Two processes invalidate, and one of them has a load from the time between. */
function loadBetweenInvalidations(options: ProgramOptions) {
  return program(options, (service) => {
    const one = service.member('one');
    const other = service.member('other');
    service.script({
      process: 'one',
      name: 'one invalidates',
      run: () => void one.cache.delete('k'),
    });
    service.script(
      { process: 'other', name: 'other calls', run: () => void other.cache('k') },
      service.changeBy('other', other.cache),
    );
  });
}

/** A process is told of an invalidation, and calls. */
function toldThenCall(options: ProgramOptions) {
  return program(options, (service) => {
    const one = service.member('one');
    const other = service.member('other');
    service.script(service.changeBy('other', other.cache));
    service.script({
      process: 'one',
      name: 'one calls',
      may: () => (one.line?.received ?? 0) > 0,
      run: () => void service.expectNew('one', one.cache),
    });
  });
}

/** A process starts, and calls, while another invalidates. */
function startBesideInvalidation(options: ProgramOptions) {
  return program(options, (service) => {
    const other = service.member('other');
    service.script(service.changeBy('other', other.cache));
    service.script({
      process: 'one',
      name: 'one starts and calls',
      run: () => void service.member('one').cache('k'),
    });
  });
}

const ALL: readonly Fault[] = ['refused', 'rejected', 'late', 'wiped'];

export const PROGRAMS = {
  'a load beside a delete': loadBesideInvalidation({
    before: 'tokens',
    faults: 1,
    kinds: ALL,
    withBus: false,
  }),
  'a load beside a delete, in an empty store': loadBesideInvalidation({
    before: 'nothing',
    withBus: false,
  }),
  'a load beside a delete, in a store that restarts empty': loadBesideInvalidation({
    before: 'nothing',
    withBus: false,
    faults: 1,
    kinds: ['wiped'],
  }),
  'a load beside a delete, in a store that writes later than it says': loadBesideInvalidation({
    before: 'nothing',
    withBus: false,
    faults: 1,
    kinds: ['behind'],
  }),
  'a load beside an invalidation of tags': loadBesideInvalidation({
    before: 'tokens',
    faults: 1,
    kinds: ALL,
    invalidate: 'invalidateTags',
    withBus: false,
  }),
  'a load beside an invalidation of tags, in a store that reads names one by one':
    loadBesideInvalidation({
      before: 'tokens',
      invalidate: 'invalidateTags',
      withBus: false,
      readsOneByOne: true,
    }),
  'a load beside a clear': loadBesideInvalidation({
    before: 'tokens',
    invalidate: 'clear',
    faults: 1,
    kinds: ALL,
    withBus: false,
  }),
  'two loads beside a clear, in a store without the token of the cache': twoLoadsBesideClear({
    before: 'other tokens',
    withBus: false,
  }),
  'a load beside a delete, in a store that leaves a request without an answer':
    loadBesideInvalidation({
      before: 'tokens',
      faults: 1,
      kinds: ['silent'],
      withBus: false,
      timeoutMillis: 100,
    }),
  'a delete and a call of one process, in a store that leaves a request without an answer':
    invalidateThenCall({
      before: 'result',
      faults: 2,
      kinds: ['silent'],
      withBus: false,
      timeoutMillis: 100,
    }),
  'a call after the message of a delete, in a store that leaves a request without an answer':
    toldThenCall({ before: 'result', faults: 1, kinds: ['silent'], timeoutMillis: 100 }),
  'the start of a process beside a delete': startBesideInvalidation({ before: 'result' }),
  'the start of a process beside a delete, while the bus breaks': startBesideInvalidation({
    before: 'result',
    faults: 1,
    kinds: ['disconnected'],
  }),
  'a load beside a delete, while the bus breaks': loadBesideInvalidation({
    before: 'tokens',
    faults: 1,
    kinds: ['disconnected'],
  }),
  'a delete and a call of one process': invalidateThenCall({
    before: 'result',
    faults: 2,
    kinds: ALL,
    withBus: false,
  }),
  'a delete and a call of one process, without a fault': invalidateThenCall({
    before: 'result',
    withBus: false,
  }),
  'a set and a call of one process': invalidateThenCall({
    before: 'result',
    invalidate: 'set',
    withBus: false,
  }),
  'a delete, a call and a clear of one process': invalidateCallAndClear({
    before: 'result',
    faults: 1,
    kinds: ALL,
    withBus: false,
  }),
  'an invalidation of tags, a call and a clear of one process': invalidateCallAndClear({
    before: 'result',
    invalidate: 'invalidateTags',
    withBus: false,
  }),
  'a load between the deletes of two processes': loadBetweenInvalidations({
    before: 'tokens',
    withBus: false,
  }),
  'a call after the message of a delete': toldThenCall({ before: 'result', faults: 1, kinds: ALL }),
  'a call after the message of an invalidation of tags': toldThenCall({
    before: 'result',
    invalidate: 'invalidateTags',
  }),
  'a delete and a call of one process, while a replica takes over': invalidateThenCall({
    before: 'result',
    faults: 1,
    kinds: ['failover'],
  }),
  'a call after the message of a delete, while a replica takes over': toldThenCall({
    before: 'result',
    faults: 1,
    kinds: ['failover'],
  }),
} satisfies Record<string, MakeProgram>;
