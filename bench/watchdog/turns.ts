/** Turns of the event loop: how long the longest one takes, and how long without V8's collections in it. */
import { PerformanceObserver } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';

/** The longest turns of a run, in milliseconds. */
export interface LongestTurns {
  readonly longestMillis: number;
  /** Of each turn, what V8's collections take is left out. */
  readonly withoutGcMillis: number;
}

/** A time from its start to its end, in milliseconds. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** Turns shorter than this, in milliseconds, are no pauses, and are not kept. */
const SHORT_MILLIS = 0.5;

/** Lets turns pass, each with some work at its start, while there are more to come. */
export async function measureTurns(
  isMore: (turn: number) => boolean,
  work: () => void = () => {},
): Promise<LongestTurns> {
  const turns: Span[] = [];
  const collections: Span[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const { startTime: start, duration } of list.getEntries()) {
      collections.push({ start, end: start + duration });
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  for (let turn = 0; isMore(turn); turn++) {
    const start = performance.now();
    work();
    await setImmediate();
    const end = performance.now();
    if (end - start >= SHORT_MILLIS) turns.push({ start, end });
  }
  await setImmediate(); // The last collections are told in the next turn.
  observer.disconnect();
  return {
    longestMillis: longest(turns, ({ start, end }) => end - start),
    withoutGcMillis: longest(turns, (turn) => lengthWithout(turn, collections)),
  };
}

function longest(turns: readonly Span[], lengthOf: (turn: Span) => number): number {
  return turns.reduce((most, turn) => Math.max(most, lengthOf(turn)), 0);
}

function lengthWithout({ start, end }: Span, others: readonly Span[]): number {
  const shared = others.map((other) => Math.min(end, other.end) - Math.max(start, other.start));
  return end - start - shared.reduce((sum, millis) => sum + Math.max(0, millis), 0);
}
