/**
 * The disposals that the current code is part of. Code that a disposal calls cannot wait for that disposal, nor for another one whose code
 * waits for it. They travel in the async context, so code after an `await` is recognised, too. Without an async context, as in a browser,
 * only code before the first `await` is.
 *
 * The variable rests while no disposal runs, and then makes no promise of the process slower.
 */
import { type AsyncVariable, createAsyncVariable } from '../core/async-context.js';

/** A disposal that runs, and the one whose code has caused it. */
interface CurrentEnd {
  readonly what: readonly object[];
  readonly outer: CurrentEnd | undefined;
}

const current: AsyncVariable<CurrentEnd> = /* @__PURE__ */ createAsyncVariable();

/** How many disposals run. */
let running = 0;

/** Calls `end`, which ends `what`, such as a value and the component that it is part of. Gives its result. */
export async function runAsEndOf<R>(what: readonly object[], end: () => R): Promise<Awaited<R>> {
  running++;
  try {
    return await current.run({ what, outer: current.get() }, end);
  } finally {
    if (--running === 0) current.rest();
  }
}

/** Waits for `ending`, the end of `what`. Code that this end waits for cannot wait for it, and goes on at once. */
export async function untilEndOf(
  what: object,
  ending: Promise<unknown> | undefined,
): Promise<void> {
  const ends = currentEnds();
  if (!waitsFor(what, ends)) await whileWaiting(ends, what, () => ending);
}

/** What the code of a disposal waits for, by what it ends. */
const waits = /* @__PURE__ */ new WeakMap<object, Set<{ readonly for: object }>>();

/** Calls `wait`. Until its promise settles, the code of the disposals `ends` counts as waiting for the end of `what`. */
export async function whileWaiting(
  ends: ReadonlySet<object>,
  what: object,
  wait: () => Promise<unknown> | undefined,
): Promise<void> {
  const note = { for: what };
  for (const end of ends) {
    const notes = waits.get(end);
    if (notes === undefined) waits.set(end, new Set([note]));
    else notes.add(note);
  }
  try {
    await wait();
  } finally {
    for (const end of ends) waits.get(end)?.delete(note);
  }
}

/** Whether the end of `what` waits for one of the disposals `ends`, whose code then cannot wait for it. */
export function waitsFor(what: object, ends: ReadonlySet<object>): boolean {
  const reached = new Set([what]);
  for (const one of reached) {
    if (ends.has(one)) return true;
    for (const note of waits.get(one) ?? []) reached.add(note.for);
  }
  return false;
}

/** Gives the values that the current code ends, across its awaits, and their components. */
export function currentEnds(): ReadonlySet<object> {
  const ends = new Set<object>();
  for (let end = current.get(); end !== undefined; end = end.outer) {
    for (const what of end.what) ends.add(what);
  }
  return ends;
}
