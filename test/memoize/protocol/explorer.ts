/**
 * An explicit-state explorer: runs a small program again and again, with another order of its steps each time, until each order
 * was run. It drives the real classes. A step is what a store, a bus or a loader does between two turns of the event loop.
 *
 * Orders that differ only in steps that do not affect each other are run once, by sleep sets (Godefroid, Partial-Order Methods for the
 * Verification of Concurrent Systems, 1996, chapter 5).
 */
import { settle } from '../../kit/settle.js';

/** One thing that can happen next. */
export interface Step {
  /** Is the same in each order of the other steps. */
  readonly id: string;
  /** The process whose code runs then. Two steps of one process affect each other. */
  readonly process: string;
  /** What it reads and what it writes. Steps affect each other if one writes what the other reads or writes. */
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  readonly run: () => void | Promise<void>;
}

/** A program in its initial state. */
export interface Program {
  /** The steps that can happen next; none if the program has ended. */
  steps(): Step[];
  /** Checks the end state. Throws for a violation. */
  end(): Promise<void>;
}

/** What an exploration found. */
export interface Exploration {
  /** The orders that were run to their end. */
  readonly runs: number;
  /** The first violation, with the steps that led to it. */
  readonly violation: string | undefined;
}

/** A state on the path that is explored: the step that is taken there, and those that need not be. */
interface Node {
  readonly taken: Step;
  readonly enabled: readonly Step[];
  readonly asleep: Map<string, Step>;
}

/** Runs `make()` in each order of its steps, until one violates its property. Throws if there are more than `limit` runs. */
export async function explore(make: () => Promise<Program>, limit = 100_000): Promise<Exploration> {
  const path: Node[] = [];
  let runs = 0;
  for (let tries = 0; tries < limit; tries++) {
    const program = await make();
    const isEnd = await follow(program, path);
    if (isEnd) {
      runs++;
      try {
        await program.end();
      } catch (error) {
        const steps = path.map(({ taken }) => taken.id).join('\n         ');
        return { runs, violation: `${String(error)}\n  after: ${steps}` };
      }
    }
    if (!turn(path)) return { runs, violation: undefined };
  }
  throw new Error(`The exploration has not ended after ${limit} runs.`);
}

/** Takes the steps of the path, and then the first one that is awake at each state. False if all are asleep. */
async function follow(program: Program, path: Node[]): Promise<boolean> {
  await settle();
  for (let depth = 0; ; depth++) {
    const steps = program.steps();
    if (steps.length === 0) return true;
    let node = path[depth];
    if (node === undefined) {
      const asleep = sleepAfter(path[depth - 1]);
      const taken = steps.find(({ id }) => !asleep.has(id));
      if (taken === undefined) return false;
      node = { taken, asleep, enabled: steps };
      path.push(node);
    }
    await take(steps, node);
  }
}

async function take(steps: readonly Step[], { taken }: Node): Promise<void> {
  const step = steps.find(({ id }) => id === taken.id);
  if (step === undefined) throw new Error(`The step '${taken.id}' cannot be repeated.`);
  await step.run();
  await settle();
}

function sleepAfter(node: Node | undefined): Map<string, Step> {
  const asleep = new Map<string, Step>();
  if (node === undefined) return asleep;
  for (const [id, step] of node.asleep) if (!affect(step, node.taken)) asleep.set(id, step);
  return asleep;
}

/** Turns the path to the next step that is awake. False if there is none. */
function turn(path: Node[]): boolean {
  for (let node = path.pop(); node !== undefined; node = path.pop()) {
    const { asleep, enabled, taken } = node;
    asleep.set(taken.id, taken);
    const next = enabled.find(({ id }) => !asleep.has(id));
    if (next === undefined) continue;
    path.push({ taken: next, asleep, enabled });
    return true;
  }
  return false;
}

function affect(one: Step, other: Step): boolean {
  if (one.process === other.process) return true;
  const conflict = (writes: readonly string[], { reads, writes: others }: Step): boolean =>
    writes.some((name) => name === '*' || reads.includes(name) || others.includes(name));
  return (
    one.writes.includes('*') ||
    other.writes.includes('*') ||
    conflict(one.writes, other) ||
    conflict(other.writes, one)
  );
}
