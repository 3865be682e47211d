/** A store and a bus whose every step the explorer decides, with a limited number of faults. */
import type {
  BusListener,
  InvalidationBus,
  SharedStore,
} from '../../../src/memoize/shared/index.js';
import type { Step } from './explorer.js';

interface Operation {
  readonly process: string;
  readonly name: string;
  /** What it reads or writes. */
  readonly keys: readonly string[];
  readonly isWrite: boolean;
  /** Carries the operation out, and gives the answer. */
  readonly apply: () => unknown;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** The answer of a store that hides a failure. */
  readonly lie: unknown;
}

/** What can go wrong with one operation or message. */
export type Fault =
  | 'refused'
  | 'rejected'
  | 'late'
  | 'behind'
  | 'silent'
  | 'wiped'
  | 'failover'
  | 'disconnected';

/** A network with one store and one bus. */
export class OutsideWorld {
  readonly values = new Map<string, unknown>();
  /** How many faults may still happen. */
  faultsLeft: number;
  readonly #kinds: readonly Fault[];
  readonly #operations = new Set<Operation>();
  /** What a replica has that takes over. */
  #replicated: ReadonlyMap<string, unknown> = new Map();
  /** Writes that were reported as failed, and that the store carries out later. */
  readonly #late = new Set<Operation>();
  readonly #counts = new Map<string, number>();
  readonly #lines: BusLine[] = [];
  /** Whether everything happens at once and without a fault. */
  isCalm = false;
  /** Whether some operation is never answered, so that its caller waits for the time to pass. */
  isSilent = false;
  /** Whether time passes. Single reads are then answered at once: those of a health check are too many to be put in each order. */
  isTimePassing = false;

  constructor(faults: number, kinds: readonly Fault[]) {
    this.faultsLeft = faults;
    this.#kinds = kinds;
  }

  /** The store, as a client sees it that hides the failures of the store: as Keyv does. */
  store(who: string): SharedStore {
    const ask = (operation: Omit<Operation, 'process' | 'resolve' | 'reject'>) =>
      new Promise<unknown>((resolve, reject) => {
        const isHealthCheck = this.isTimePassing && operation.name === 'get one';
        if (this.isCalm || isHealthCheck) return resolve(operation.apply());
        const count = (this.#counts.get(who) ?? 0) + 1;
        this.#counts.set(who, count);
        const name = `${who}, ${count}: ${operation.name} ${operation.keys.join(', ')}`;
        this.#operations.add({ ...operation, process: who, name, resolve, reject });
      });
    const read = (key: string): unknown => structuredClone(this.values.get(key));
    const write = (name: string, key: string, apply: () => unknown) =>
      ask({ name, keys: [key], isWrite: true, apply, lie: true });
    return {
      get: (key) =>
        ask({
          name: 'get one',
          keys: [key],
          isWrite: false,
          apply: () => read(key),
          lie: undefined,
        }),
      getMany: (keys) =>
        ask({
          name: 'get',
          keys,
          isWrite: false,
          apply: () => keys.map(read),
          lie: keys.map(() => undefined),
        }) as Promise<unknown[]>,
      set: (key, value) =>
        write('set', key, () => void this.values.set(key, structuredClone(value))),
      delete: (key) => write('delete', key, () => this.values.delete(key)),
    };
  }

  /** The bus, as one process has it. */
  bus(who: string): BusLine {
    const line = new BusLine(who, this.#lines);
    this.#lines.push(line);
    return line;
  }

  steps(): Step[] {
    const steps: Step[] = [];
    for (const operation of this.#operations) steps.push(...this.#outcomes(operation));
    for (const operation of this.#late) {
      const run = (): void => {
        this.#late.delete(operation);
        operation.apply();
      };
      const id = `${operation.name}: carried out late`;
      steps.push({ id, process: id, reads: [], writes: operation.keys, run });
    }
    for (const line of this.#lines) {
      steps.push(...line.steps(this.#may('disconnected'), () => this.faultsLeft--));
    }
    if (this.#may('wiped') && this.values.size > 0) {
      const run = (): void => {
        this.faultsLeft--;
        this.values.clear();
      };
      const id = 'the store restarts empty';
      steps.push({ id, process: id, reads: [], writes: ['*'], run });
    }
    if (this.#may('failover')) {
      const run = (): void => {
        this.faultsLeft--;
        this.values.clear();
        for (const [name, value] of this.#replicated) this.values.set(name, value);
        for (const line of this.#lines) line.lose();
      };
      const id = 'a replica takes over';
      steps.push({ id, process: id, reads: [], writes: ['*', 'bus'], run });
    }
    return steps;
  }

  /** Copies the store to its replica. Later writes are lost with the primary. */
  replicate(): void {
    this.#replicated = new Map(this.values);
  }

  /** Ends all faults, and lets everything that is on its way arrive. */
  calm(): void {
    this.isCalm = true;
    for (const { apply } of this.#late) apply();
    this.#late.clear();
    for (const { apply, resolve } of this.#operations) resolve(apply());
    this.#operations.clear();
    for (const line of this.#lines) line.calm();
  }

  #may(kind: Fault): boolean {
    return this.faultsLeft > 0 && this.#kinds.includes(kind);
  }

  #outcomes(operation: Operation): Step[] {
    const { process, name, keys, apply, resolve, reject, lie, isWrite } = operation;
    const step = (outcome: string, own: Partial<Step>, end: () => void): Step => ({
      id: `${name}: ${outcome}`,
      process,
      reads: [],
      writes: [],
      ...own,
      run: () => {
        this.#operations.delete(operation);
        end();
      },
    });
    const fault = (outcome: string, end: () => void): Step =>
      step(outcome, { writes: ['faults'] }, () => {
        this.faultsLeft--;
        end();
      });
    const touched = isWrite ? { writes: keys } : { reads: keys };
    const steps = [step('done', touched, () => resolve(apply()))];
    if (this.#may('refused'))
      steps.push(fault('refused, and reported as done', () => resolve(lie)));
    if (this.#may('rejected')) steps.push(fault('rejected', () => reject(new Error('rejected'))));
    if (this.#may('silent')) {
      steps.push(
        fault('never answered', () => {
          if (isWrite) this.#late.add(operation);
          this.isSilent = true;
        }),
      );
    }
    if (this.#may('behind') && isWrite) {
      steps.push(
        fault('reported as done, and still on its way', () => {
          this.#late.add(operation);
          resolve(true);
        }),
      );
    }
    if (this.#may('late') && isWrite) {
      steps.push(
        fault('given up, and still on its way', () => {
          this.#late.add(operation);
          reject(new Error('no answer'));
        }),
      );
    }
    return steps;
  }
}

/** The bus, as one process has it: the messages on their way to this process, and the state of its connection. */
export class BusLine implements InvalidationBus {
  readonly #who: string;
  readonly #all: readonly BusLine[];
  #listener: BusListener | undefined = undefined;
  #isConnected = true;
  #onTheirWay: string[] = [];
  /** How many messages of other processes have arrived. */
  received = 0;
  #isCalm = false;

  constructor(who: string, all: readonly BusLine[]) {
    this.#who = who;
    this.#all = all;
  }

  async publish(text: string): Promise<void> {
    for (const line of this.#all) if (line !== this) line.#send(text);
  }

  subscribe(listener: BusListener): Disposable {
    this.#listener = listener;
    listener.connected(true);
    return {
      [Symbol.dispose]: () => {
        this.#listener = undefined;
      },
    };
  }

  steps(mayDisconnect: boolean, countFault: () => void): Step[] {
    const process = this.#who;
    const step = (what: string, writes: readonly string[], run: () => void): Step => ({
      id: `${process}: ${what}`,
      process,
      reads: [],
      writes,
      run,
    });
    if (!this.#isConnected) {
      return [step('connected to the bus again', ['bus'], () => this.#connect(true))];
    }
    const steps: Step[] = [];
    if (this.#onTheirWay.length > 0) {
      steps.push(step(`message ${this.received + 1} arrives`, [], () => this.#arrive()));
    }
    if (mayDisconnect) {
      const disconnect = (): void => {
        countFault();
        this.#connect(false);
      };
      steps.push(step('disconnected from the bus', ['bus', 'faults'], disconnect));
    }
    return steps;
  }

  calm(): void {
    this.#isCalm = true;
    if (!this.#isConnected) this.#connect(true);
    while (this.#onTheirWay.length > 0) this.#arrive();
  }

  /** Loses the connection, if there is one. */
  lose(): void {
    if (this.#isConnected) this.#connect(false);
  }

  #send(text: string): void {
    if (!this.#isConnected) return; // Redis keeps no message for a subscriber that is away.
    this.#onTheirWay.push(text);
    if (this.#isCalm) this.#arrive();
  }

  #arrive(): void {
    const text = this.#onTheirWay.shift() as string;
    this.received++;
    this.#listener?.message(text);
  }

  #connect(state: boolean): void {
    this.#isConnected = state;
    this.#onTheirWay = [];
    this.#listener?.connected(state);
  }
}
