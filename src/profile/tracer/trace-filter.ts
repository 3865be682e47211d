/** Filters of traces, as `Filter` and `DomainFilter` of CPython's tracemalloc. */
import { InvalidArgumentError } from '../../core/errors.js';
import { aBoolean, aName, checkOptions, integer } from '../../core/options.js';
import type { Trace, TraceFrame } from './trace.js';

/** Condition on traces. A trace matches if all parts that are given match. */
export interface TraceFilter {
  /** True keeps traces that match, false drops them. */
  readonly inclusive: boolean;
  /** Pattern of the file: `*` is any text, `?` any character, `[abc]` and `[!abc]` are sets, as in CPython's `fnmatch`. */
  readonly file?: string;
  /** Line in the file. Needs a file. */
  readonly line?: number;
  /** Kind of the trace. */
  readonly kind?: string;
  /**
   * True looks at all lines of the traceback instead of the innermost.
   *
   * @default false
   */
  readonly allFrames?: boolean;
}

const CHECKS = {
  inclusive: aBoolean,
  file: aName,
  line: integer(1),
  kind: aName,
  allFrames: aBoolean,
};

/**
 * Gives the traces that at least one inclusive filter keeps, or all if there is none, and that no exclusive filter drops.
 * O(traces · filters · frames).
 */
export function filterTraces(traces: readonly Trace[], filters: readonly TraceFilter[]): Trace[] {
  const tests = filters.map((filter) => ({
    inclusive: filter.inclusive,
    matches: matcherOf(filter),
  }));
  const [keep, drop] = [true, false].map((inclusive) =>
    tests.filter((test) => test.inclusive === inclusive),
  ) as [typeof tests, typeof tests];
  return traces.filter(
    (trace) =>
      (keep.length === 0 || keep.some(({ matches }) => matches(trace))) &&
      !drop.some(({ matches }) => matches(trace)),
  );
}

function matcherOf(filter: TraceFilter): (trace: Trace) => boolean {
  const where = 'snapshot.filter';
  const { inclusive, file, line, kind, allFrames } = checkOptions<TraceFilter>(
    where,
    filter,
    CHECKS,
  );
  if (inclusive === undefined)
    throw new InvalidArgumentError(`${where}: \`inclusive\` must be given.`);
  if (file === undefined && (line !== undefined || kind === undefined)) {
    throw new InvalidArgumentError(
      `${where}: give a \`file\`, with or without a \`line\`, or a \`kind\`.`,
    );
  }
  const pattern = file === undefined ? undefined : patternOf(file);
  const matchesFrame = (frame: TraceFrame): boolean =>
    (pattern === undefined || pattern.test(frame.file)) &&
    (line === undefined || frame.line === line);
  return (trace) => {
    if (kind !== undefined && trace.kind !== kind) return false;
    if (pattern === undefined) return true;
    const frames = allFrames === true ? trace.traceback : trace.traceback.slice(0, 1);
    return frames.some(matchesFrame);
  };
}

/** Translates a pattern of `fnmatch` to a regular expression. */
function patternOf(pattern: string): RegExp {
  let source = '';
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern[i] as string;
    if (character === '*') source += '.*';
    else if (character === '?') source += '.';
    else if (character === '[') {
      // A bracket that is first in the set stands for itself.
      const start = pattern[i + 1] === '!' ? i + 2 : i + 1;
      const end = pattern.indexOf(']', start + 1);
      if (end < 0) source += '\\[';
      else {
        source += setOf(pattern.slice(start, end), start === i + 2);
        i = end;
      }
    } else source += literal(character);
  }
  return new RegExp(`^${source}$`, 'su');
}

/** Gives the set of the members and the ranges. As in `fnmatch`, a range whose end comes before its start is empty. */
function setOf(members: string, negated: boolean): string {
  const characters = [...members];
  let source = '';
  for (let i = 0; i < characters.length; i++) {
    const first = characters[i] as string;
    const last = characters[i + 1] === '-' ? characters[i + 2] : undefined;
    if (last === undefined) source += member(first);
    else {
      if (codeOf(first) <= codeOf(last)) source += `${member(first)}-${member(last)}`;
      i += 2;
    }
  }
  return `[${negated ? '^' : ''}${source}]`;
}

function codeOf(character: string): number {
  return character.codePointAt(0) as number;
}

function member(character: string): string {
  return /[\\\]^[-]/.test(character) ? `\\${character}` : character;
}

function literal(character: string): string {
  return /[\^$\\.+()[\]{}|/]/.test(character) ? `\\${character}` : character;
}
