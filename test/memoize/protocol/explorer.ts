/**
 * An explorer: runs a small program again and again, with another order of its steps each time, until each order was run. It drives the
 * real classes. A step is what a store, a bus or a loader does between two turns of the event loop.
 *
 * Orders that differ only in steps that do not affect each other are run once. When a run has taken two steps that affect each other, the
 * explorer takes them in the other order, too (source sets: Abdulla and others, Optimal Dynamic Partial Order Reduction, 2014).
 * Sleep sets keep it from running an order twice. What a step affects is observed when it runs.
 *
 * A choice has one step for each of its outcomes. Some outcomes are faults. The number of faults is limited, so a fault may take others
 * away. Each set of faults is a program of its own, in which each choice has one outcome. The orders of these programs begin alike, and
 * such beginnings are run together. So a node takes all outcomes of the choice that it begins with, and all faults that need no choice.
 */
import { settle } from '../../kit/settle.js';
import { type Accesses, affect } from './accesses.js';

/** One thing that can happen next. It can happen until a step of its choice is taken, or no fault is left. */
export interface Step {
  /** Is the same in each order of the other steps. */
  readonly id: string;
  /** One of the steps of a choice happens: an operation has one outcome. A choice that has only faults may never be made. */
  readonly choice: string;
  readonly isFault: boolean;
  readonly run: () => void | Promise<void>;
}

/** A program in its initial state. */
export interface Program {
  /** The steps that can happen next. The program may end if there are only faults. */
  steps(): Step[];
  /** What was read and written since the last call. */
  takeAccesses(): Accesses;
  /** All that decides how the program goes on. */
  state(): string;
  /** Checks the end state. Throws for a violation. */
  end(): Promise<void>;
}

/** What an exploration found. */
export interface Exploration {
  /** How often the program was run. */
  readonly tries: number;
  /** The runs that reached an end. */
  readonly runs: number;
  /** The first violation, with the steps that led to it. */
  readonly violation: string | undefined;
}

/** A state on the path that is explored. */
interface Node {
  readonly enabled: readonly Step[];
  /** The step that is taken now; `undefined` if the program ends here. */
  taken: Step | undefined;
  /** The steps that are taken here sooner or later. */
  readonly chosen: Step[];
  /** The steps from here whose orders were run, and what they affect. */
  readonly asleep: Map<string, Accesses>;
  /** What the step that is taken has affected. */
  accesses: Accesses;
  /** The earlier steps of the path that must come before the step that is taken, as bits. */
  before: bigint;
}

const NOTHING: Accesses = new Map();

/** Runs `make()` in each order of its steps, until one violates its property. Throws if there are more than `limit` tries. */
export async function explore(make: () => Promise<Program>, limit = 100_000): Promise<Exploration> {
  const path: Node[] = [];
  let runs = 0;
  for (let tries = 1; tries <= limit; tries++) {
    const program = await make();
    if (await follow(program, path)) {
      runs++;
      try {
        await program.end();
      } catch (error) {
        const steps = path.map(({ taken }) => taken?.id ?? 'the end').join('\n         ');
        return { tries, runs, violation: `${String(error)}\n  after: ${steps}` };
      }
    }
    if (!turn(path)) return { tries, runs, violation: undefined };
  }
  throw new Error(`The exploration has not ended after ${limit} tries.`);
}

/** Takes the steps of the path, and further steps to an end. False if all orders that go on from there were run. */
async function follow(program: Program, path: Node[]): Promise<boolean> {
  await settle();
  const turned = path.length - 1;
  for (let depth = 0; ; depth++) {
    const steps = program.steps();
    if (depth === path.length) {
      const node = nodeAfter(path.at(-1), steps);
      if (node === undefined) return false;
      path.push(node);
    }
    const node = path[depth] as Node;
    if (node.taken === undefined) return true;
    program.takeAccesses();
    await take(steps, node.taken.id);
    if (depth < turned) continue;
    node.accesses = program.takeAccesses();
    reverseRaces(path, depth);
  }
}

async function take(steps: readonly Step[], id: string): Promise<void> {
  const step = steps.find((each) => each.id === id);
  if (step === undefined) throw new Error(`The step '${id}' cannot be repeated.`);
  await step.run();
  await settle();
}

/** The state after the step that `parent` takes; `undefined` if all orders from there were run. */
function nodeAfter(parent: Node | undefined, enabled: readonly Step[]): Node | undefined {
  const asleep = new Map<string, Accesses>();
  if (parent !== undefined) {
    checkPersistence(parent, enabled);
    for (const [id, accesses] of parent.asleep) {
      if (!affect(accesses, parent.accesses)) asleep.set(id, accesses);
    }
  }
  const chosen = firstSteps(enabled, asleep);
  const isEnd = enabled.every(({ isFault }) => isFault);
  if (chosen.length === 0 && !isEnd) return undefined;
  const taken = isEnd ? undefined : chosen[0];
  return { enabled, taken, chosen, asleep, accesses: NOTHING, before: 0n };
}

/** Steps to begin with, so that each set of faults has one: all outcomes of a choice, or all steps that are awake. */
function firstSteps(enabled: readonly Step[], asleep: ReadonlyMap<string, unknown>): Step[] {
  const optional = new Set(enabled.map(({ choice }) => choice));
  const sleeping = new Set<string>();
  for (const { id, choice, isFault } of enabled) {
    if (!isFault) optional.delete(choice);
    if (asleep.has(id)) sleeping.add(choice);
  }
  const first = enabled.find(({ choice }) => !optional.has(choice) && !sleeping.has(choice));
  return enabled.filter(({ id, choice }) =>
    first === undefined ? !asleep.has(id) : choice === first.choice,
  );
}

/** Checks that a step took no other step away, unless both are of one choice or faults. */
function checkPersistence({ taken, enabled }: Node, now: readonly Step[]): void {
  for (const { id, choice, isFault } of enabled) {
    const mayLeave = choice === taken?.choice || (isFault && taken?.isFault === true);
    if (!mayLeave && now.every((step) => step.id !== id)) {
      throw new Error(`The step '${taken?.id}' prevents '${id}'.`);
    }
  }
}

/** Finds the earlier steps that the last one could come before, and has the order in which it does be run. */
function reverseRaces(path: readonly Node[], last: number): void {
  const { taken, accesses } = path[last] as Node & { taken: Step };
  const maker = makerOf(taken.choice, path, last);
  let before = maker < 0 ? 0n : withBefore(path, maker);
  const races: number[] = [];
  for (let index = last - 1; index >= 0; index--) {
    if (!affect((path[index] as Node).accesses, accesses)) continue;
    if ((before & bit(index)) === 0n) races.push(index);
    before |= withBefore(path, index);
  }
  (path[last] as Node).before = before;
  for (const index of races) reverse(path, index, last);
}

/** The step of the path that made a choice possible; -1 if it was possible from the start. */
function makerOf(choice: string, path: readonly Node[], last: number): number {
  let index = last;
  while (index > 0 && (path[index - 1] as Node).enabled.some((step) => step.choice === choice)) {
    index--;
  }
  return index - 1;
}

/** Has the last step be taken before the one at `index`, by a step at `index` with which such an order can begin. */
function reverse(path: readonly Node[], index: number, last: number): void {
  const node = path[index] as Node;
  let order = 0n;
  const beginnings: Step[] = [];
  for (let at = index + 1; at <= last; at++) {
    const { taken, before } = path[at] as Node & { taken: Step };
    if (at < last && (before & bit(index)) !== 0n) continue;
    if ((before & order) === 0n) beginnings.push(taken);
    order |= bit(at);
  }
  const [first] = beginnings;
  const isPlanned = ({ id }: Step): boolean =>
    node.asleep.has(id) || node.chosen.some((step) => step.id === id);
  if (first !== undefined && !beginnings.some(isPlanned)) node.chosen.push(first);
}

function bit(index: number): bigint {
  return 1n << BigInt(index);
}

function withBefore(path: readonly Node[], index: number): bigint {
  return (path[index] as Node).before | bit(index);
}

/** Turns the path to the next order. False if there is none. */
function turn(path: Node[]): boolean {
  for (let node = path.at(-1); node !== undefined; node = path.at(-1)) {
    const { asleep, chosen, taken, accesses } = node;
    if (taken !== undefined) asleep.set(taken.id, accesses);
    node.taken = chosen.find(({ id }) => !asleep.has(id));
    if (node.taken !== undefined) return true;
    path.pop();
  }
  return false;
}

/** Takes each step in each state that `make()` can reach, and gives the states in which it may end. */
export async function statesAtEnd(make: () => Promise<Program>): Promise<Set<string>> {
  const seen = new Set<string>();
  const ends = new Set<string>();
  const path: string[][] = [];
  do {
    const program = await make();
    await settle();
    for (let depth = 0; ; depth++) {
      const steps = program.steps();
      if (depth === path.length) {
        const state = program.state();
        if (steps.every(({ isFault }) => isFault)) ends.add(state);
        if (steps.length === 0 || seen.has(state)) break;
        seen.add(state);
        path.push(steps.map(({ id }) => id));
      }
      await take(steps, path[depth]?.[0] as string);
    }
    while (path.at(-1)?.length === 1) path.pop();
    path.at(-1)?.shift();
  } while (path.length > 0);
  return ends;
}
