/** A store and a bus whose every step the explorer decides, with a limited number of faults. */
import type {
  BusListener,
  InvalidationBus,
  SharedStore,
} from '../../../src/memoize/shared/index.js';
import { AccessRecord } from './accesses.js';
import type { Step } from './explorer.js';
import { Histories } from './histories.js';

interface Operation {
  readonly process: string;
  readonly name: string;
  /** What it reads or writes. */
  readonly keys: readonly string[];
  readonly isWrite: boolean;
  /** What it writes. */
  readonly value?: unknown;
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
  readonly accesses = new AccessRecord();
  readonly histories = new Histories();
  #restarts = 0;

  constructor(faults: number, kinds: readonly Fault[]) {
    this.faultsLeft = faults;
    this.#kinds = kinds;
  }

  /** The store, as a client sees it that hides the failures of the store: as Keyv does. */
  store(who: string): SharedStore {
    const ask = (operation: Omit<Operation, 'process' | 'resolve' | 'reject'>) =>
      new Promise<unknown>((resolve, reject) => {
        this.histories.addGiven(who, operation.value);
        const isHealthCheck = this.isTimePassing && operation.name === 'get one';
        if (this.isCalm || isHealthCheck) {
          const answer = this.#apply(operation);
          this.see(who, operation.name, answer);
          return resolve(answer);
        }
        const count = (this.#counts.get(who) ?? 0) + 1;
        this.#counts.set(who, count);
        const name = `${who}, ${count}: ${operation.name} ${operation.keys.join(', ')}`;
        this.#operations.add({ ...operation, process: who, name, resolve, reject });
      });
    const read = (key: string): unknown => structuredClone(this.values.get(key));
    const write = (name: string, key: string, apply: () => unknown, value?: unknown) =>
      ask({ name, keys: [key], isWrite: true, value, apply, lie: true });
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
        write('set', key, () => void this.values.set(key, structuredClone(value)), value),
      delete: (key) => write('delete', key, () => this.values.delete(key)),
    };
  }

  /** The bus, as one process has it. */
  bus(who: string): BusLine {
    return new BusLine(who, this.#lines, this);
  }

  /** Notes what a process sees. Its next steps depend on it. */
  see(process: string, what: string, value?: unknown): void {
    this.accesses.write(`process ${process}`);
    this.histories.addSeen(process, what, value);
  }

  steps(): Step[] {
    const steps: Step[] = [];
    for (const operation of this.#operations) steps.push(...this.#outcomes(operation));
    for (const operation of this.#late) {
      const run = (): void => {
        this.#late.delete(operation);
        this.#apply(operation);
      };
      const id = `${operation.name}: carried out late`;
      steps.push({ id, choice: id, isFault: false, run });
    }
    for (const line of this.#lines) {
      steps.push(...line.steps());
      if (this.#may('disconnected') && line.isConnected) {
        steps.push(this.#fault(`${line.who}: disconnected from the bus`, () => line.lose()));
      }
    }
    if (this.#may('wiped')) {
      const wipe = (): void => {
        this.#restarts++;
        this.#replaceAll(new Map());
      };
      steps.push(this.#fault(`restart ${this.#restarts + 1} of the store, empty`, wipe));
    }
    if (this.#may('failover')) {
      const failOver = (): void => {
        this.#replaceAll(this.#replicated);
        for (const line of this.#lines) line.lose();
      };
      steps.push(this.#fault('a replica takes over', failOver));
    }
    return steps;
  }

  /** All that decides how the store, the bus and the processes go on. */
  state(): string {
    const late = [...this.#late].map(({ name }) => name).sort();
    const counts = { restarts: this.#restarts, faultsLeft: this.faultsLeft };
    const lines = this.#lines.map((line) => line.state());
    return this.histories.describe(...this.values, ...lines, late, counts, this.isSilent);
  }

  /** Copies the store to its replica. Later writes are lost with the primary. */
  replicate(): void {
    this.#replicated = new Map(this.values);
  }

  /** Ends all faults, and lets everything that is on its way arrive. */
  calm(): void {
    this.isCalm = true;
    for (const operation of this.#late) this.#apply(operation);
    this.#late.clear();
    for (const operation of this.#operations) operation.resolve(this.#apply(operation));
    this.#operations.clear();
    for (const line of this.#lines) line.calm();
  }

  #may(kind: Fault): boolean {
    return this.faultsLeft > 0 && this.#kinds.includes(kind);
  }

  /** A fault that needs no operation. */
  #fault(id: string, happen: () => void): Step {
    const run = (): void => {
      this.faultsLeft--;
      happen();
    };
    return { id, choice: id, isFault: true, run };
  }

  #replaceAll(values: ReadonlyMap<string, unknown>): void {
    this.accesses.write('store');
    this.values.clear();
    for (const [name, value] of values) this.values.set(name, value);
  }

  #apply({ keys, isWrite, apply }: Pick<Operation, 'keys' | 'isWrite' | 'apply'>): unknown {
    this.accesses.read('store');
    for (const key of keys) {
      if (isWrite) this.accesses.write(`store ${key}`);
      else this.accesses.read(`store ${key}`);
    }
    return apply();
  }

  #outcomes(operation: Operation): Step[] {
    const { process, name, resolve, reject, lie, isWrite } = operation;
    const step = (outcome: string, isFault: boolean, end: () => unknown): Step => ({
      id: `${name}: ${outcome}`,
      choice: name,
      isFault,
      run: () => {
        this.#operations.delete(operation);
        this.see(process, `${name}: ${outcome}`, end());
      },
    });
    const fault = (outcome: string, end: () => void): Step =>
      step(outcome, true, () => {
        this.faultsLeft--;
        end();
      });
    const done = (): unknown => {
      const answer = this.#apply(operation);
      resolve(answer);
      return answer;
    };
    const steps = [step('done', false, done)];
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

/** A message on its way to one process. */
interface Message {
  /** Its number among all messages to this process. */
  readonly number: number;
  readonly text: string;
  /** Whether the connection was lost meanwhile. It then has no effect when it arrives. */
  isLost: boolean;
}

/** The bus, as one process has it: the messages on their way to this process, and the state of its connection. */
export class BusLine implements InvalidationBus {
  readonly who: string;
  readonly #all: BusLine[];
  readonly #world: OutsideWorld;
  #listener: BusListener | undefined = undefined;
  isConnected = true;
  #onTheirWay: Message[] = [];
  #sent = 0;
  /** How many messages of other processes have arrived. */
  received = 0;

  constructor(who: string, all: BusLine[], world: OutsideWorld) {
    this.who = who;
    this.#all = all;
    this.#world = world;
  }

  async publish(text: string): Promise<void> {
    this.#world.accesses.read('subscribers');
    this.#world.histories.addGiven(this.who, text);
    for (const line of this.#all) if (line !== this) line.#send(text);
  }

  subscribe(listener: BusListener): Disposable {
    this.#world.accesses.write('subscribers');
    this.#listener = listener;
    this.#all.push(this);
    listener.connected(true);
    return { [Symbol.dispose]: () => void this.#all.splice(this.#all.indexOf(this), 1) };
  }

  steps(): Step[] {
    const steps: Step[] = [];
    const step = (what: string, run: () => void): void => {
      const id = `${this.who}: ${what}`;
      steps.push({ id, choice: id, isFault: false, run });
    };
    if (!this.isConnected) step('connected to the bus again', () => this.#connect(true));
    const [next] = this.#onTheirWay;
    if (next !== undefined) step(`message ${next.number} arrives`, () => this.#arrive());
    return steps;
  }

  state(): unknown {
    const { who, isConnected } = this;
    return { who, isConnected, messages: this.#onTheirWay };
  }

  calm(): void {
    if (!this.isConnected) this.#connect(true);
    while (this.#onTheirWay.length > 0) this.#arrive();
  }

  /** Loses the connection, if there is one. */
  lose(): void {
    if (!this.isConnected) return;
    // Redis keeps no message for a subscriber that is away.
    for (const message of this.#onTheirWay) message.isLost = true;
    this.#world.accesses.write(`front of ${this.who}`);
    this.#connect(false);
  }

  /** Messages are put in at the back and taken out at the front, so these steps do not affect each other. */
  #send(text: string): void {
    const { accesses, isCalm } = this.#world;
    accesses.write(`back of ${this.who}`);
    if (!this.isConnected) return;
    const number = ++this.#sent;
    accesses.write(`message ${number} to ${this.who}`);
    this.#onTheirWay.push({ number, text, isLost: false });
    if (isCalm) this.#arrive();
  }

  #arrive(): void {
    const { number, text, isLost } = this.#onTheirWay.shift() as Message;
    this.#world.accesses.write(`front of ${this.who}`);
    this.#world.accesses.read(`message ${number} to ${this.who}`);
    if (isLost) return;
    this.received++;
    this.#world.see(this.who, 'message', text);
    this.#listener?.message(text);
  }

  #connect(state: boolean): void {
    this.isConnected = state;
    this.#world.accesses.write(`back of ${this.who}`);
    this.#world.see(this.who, state ? 'connected' : 'disconnected');
    this.#listener?.connected(state);
  }
}
