/** Runs heap programs. Checks the whole program first, then runs its operations one by one. */
import { InvalidArgumentError } from '../../core/errors.js';
import { checkArgument, type OptionCheck } from '../../core/options.js';
import type { Handle } from '../memory/handle.js';
import type { HeapObservation, HeapOp, HeapProgram, HeapProgramEvent } from './heap-program.js';
import { ProgramMachine } from './program-machine.js';
import { operandProblem, operationNamed } from './program-operations.js';

/**
 * Runs a heap program on a new heap. Returns everything that could be observed, in the format of the CPython oracle.
 *
 * @example
 * ```ts
 * import { runHeapProgram } from 'tenure/gc';
 *
 * const { obs } = runHeapProgram({
 *   name: 'a list that contains itself',
 *   ops: [['new', 0], ['link', 0, 0], ['drop', 0], ['collect', 2]],
 * });
 * obs[3]; // => { op: 3, ev: [['S', 2], ['E', 2, 1, 0], ['R', 1]], n: [0, 0, 0] }
 * ```
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown operation or a wrong operand, before
 * anything runs.
 */
export function runHeapProgram(program: HeapProgram): HeapObservation {
  checkProgram(program);
  const machine = new ProgramMachine(program, execute);
  const obs = program.ops.map((op, number) => {
    const ev: HeapProgramEvent[] = [];
    machine.events = ev;
    execute(machine, op, null);
    return { op: number, ev, n: machine.heap.gc.getCount() };
  });
  return { name: program.name, obs };
}

function execute(machine: ProgramMachine, op: HeapOp, self: Handle | null): void {
  const [name, a = 0, b = 0, c = 0] = op;
  operationNamed(name)?.run(machine, a, b, c, self);
}

function checkProgram(program: HeapProgram): void {
  checkArgument('runHeapProgram', 'program', program, aProgram);
  const { name, ops, actions = [] } = program;
  if (!Array.isArray(ops) || !Array.isArray(actions) || !actions.every(Array.isArray)) {
    throw new InvalidArgumentError(
      'runHeapProgram: `ops` must be an array of operations, `actions` an array of such arrays.',
    );
  }
  for (const list of [ops, ...actions]) {
    for (const [number, op] of list.entries()) {
      const problem = operandProblem(op, program);
      if (problem === undefined) continue;
      const where = list === ops ? 'ops' : `actions[${actions.indexOf(list)}]`;
      throw new InvalidArgumentError(
        `runHeapProgram: ${name}: ${where}[${number}] ${JSON.stringify(op)}: ${problem}.`,
      );
    }
  }
}

const aProgram: OptionCheck = (value) =>
  typeof value === 'object' && value !== null ? undefined : 'an object with `name` and `ops`';
