/** The explorer on random programs: what it leaves out leads to no other end. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AccessRecord } from './accesses.js';
import { explore, type Program, type Step, statesAtEnd } from './explorer.js';

/** What a thread does in one step: it adds what it has seen to a variable, or only looks. A fault makes it do nothing. */
interface Operation {
  readonly variable: 'x' | 'y' | 'z';
  readonly isWrite: boolean;
  readonly mayFail: boolean;
}

/** A program of threads that share variables. A fault can also empty all variables at any time. */
class Threads implements Program {
  readonly #threads: readonly (readonly Operation[])[];
  readonly #seen: string[][];
  readonly #variables = new Map<string, string>();
  readonly #accesses = new AccessRecord();
  readonly #mayEmpty: boolean;
  #faultsLeft: number;
  #emptied = 0;

  constructor(threads: readonly (readonly Operation[])[], faults: number, mayEmpty: boolean) {
    this.#threads = threads;
    this.#seen = threads.map(() => []);
    this.#faultsLeft = faults;
    this.#mayEmpty = mayEmpty;
  }

  steps(): Step[] {
    const steps: Step[] = [];
    for (const [thread, operations] of this.#threads.entries()) {
      const seen = this.#seen[thread] as string[];
      const operation = operations[seen.length];
      if (operation === undefined) continue;
      const choice = `${thread}: ${seen.length}`;
      const step = (isFault: boolean, run: () => string): Step => ({
        id: `${choice}${isFault ? ' fails' : ''}`,
        choice,
        isFault,
        run: () => {
          this.#accesses.write(`thread ${thread}`);
          seen.push(run());
        },
      });
      steps.push(step(false, () => this.#carryOut(operation, `${thread}${seen}`)));
      if (operation.mayFail && this.#faultsLeft > 0) {
        const fail = (): string => {
          this.#faultsLeft--;
          return 'nothing';
        };
        steps.push(step(true, fail));
      }
    }
    if (this.#mayEmpty && this.#faultsLeft > 0) {
      const id = `empty ${this.#emptied}`;
      const run = (): void => {
        this.#faultsLeft--;
        this.#emptied++;
        this.#accesses.write('all');
        this.#variables.clear();
      };
      steps.push({ id, choice: id, isFault: true, run });
    }
    return steps;
  }

  #carryOut({ variable, isWrite }: Operation, value: string): string {
    this.#accesses.read('all');
    this.#accesses[isWrite ? 'write' : 'read'](variable);
    const before = this.#variables.get(variable) ?? '';
    if (isWrite) this.#variables.set(variable, `(${value})`);
    return isWrite ? 'written' : before;
  }

  takeAccesses = () => this.#accesses.take();
  end = async () => {};

  state(): string {
    return JSON.stringify([
      this.#seen,
      [...this.#variables].sort(),
      this.#faultsLeft,
      this.#emptied,
    ]);
  }
}

const OPERATION = fc.record({
  variable: fc.constantFrom('x', 'y', 'z'),
  isWrite: fc.boolean(),
  mayFail: fc.boolean(),
}) as fc.Arbitrary<Operation>;

const THREADS = fc.array(fc.array(OPERATION, { minLength: 1, maxLength: 3 }), {
  minLength: 2,
  maxLength: 3,
});

test('the explorer reaches each end of a program', async () => {
  await fc.assert(
    fc.asyncProperty(THREADS, fc.nat(2), fc.boolean(), async (threads, faults, mayEmpty) => {
      const make = async (): Promise<Threads> => new Threads(threads, faults, mayEmpty);
      const reached = new Set<string>();
      await explore(async () => {
        const program = await make();
        program.end = async () => void reached.add(program.state());
        return program;
      });
      const all = await statesAtEnd(make);
      expect([...reached].sort()).toEqual([...all].sort());
    }),
    { numRuns: 60 },
  );
});
