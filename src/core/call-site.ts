/**
 * Call sites: the lines that led to a call, as plain strings.
 *
 * V8 formats the stack of an `Error` when it is first read. Until then the error holds the frames, and with them `this` and
 * every closure on the stack. A record with such an error kept 100 of 100 abandoned handles alive, so that no collector
 * could report them. The stack is therefore formatted at once, and the error is dropped. This costs 4 to 12 µs for 4 to 16
 * frames, and 50 to 100 µs where V8 has optimized and inlined the callers: sample it on hotter paths.
 */
import { workingDirectory } from './host.js';

/** One line of a stack. */
export interface Frame {
  /** The name of the function as the engine prints it; empty at the top level. */
  readonly functionName: string;
  /** The file: a path relative to the working directory if it lies within, otherwise an absolute path or a URL. */
  readonly file: string;
  /** The line, from 1. */
  readonly line: number;
  /** The column, from 1. */
  readonly column: number;
}

interface V8ErrorConstructor {
  stackTraceLimit?: number;
  captureStackTrace?(target: object, above: unknown): void;
}

/** The default number of frames. */
export const DEFAULT_DEPTH = 10;

/** The number of frames if the innermost ones are all of libraries: an ORM has up to 12 of its own, and a tracer around pg 5. */
const LIBRARY_DEPTH = 25;

/** What a file of the host (`node:`, and `ext:` of Deno) or of a dependency has in its name, alone or in a line of a stack. */
const FOREIGN_FILE = /(?:^|[ (])(?:node|ext):|node_modules\//;

/** A line of a stack that shows the application's own code. */
const APPLICATION_LINE = new RegExp(`^(?!.*(?:${FOREIGN_FILE.source})).*:\\d+:\\d+\\)?$`, 'm');

/**
 * Gives the stack of the caller of `entry` as the engine prints it, without its first line. The frame of `entry` is left out. If `depth`
 * frames show libraries only, there are more. Parse it with {@link parseFrames} only when it is needed: most stacks never are.
 */
export function captureStack(entry: unknown, depth: number = DEFAULT_DEPTH): string {
  const errors = Error as unknown as V8ErrorConstructor;
  const limit = errors.stackTraceLimit;
  const settable = Reflect.set(errors, 'stackTraceLimit', depth);
  let frames = '';
  try {
    const holder: { stack?: unknown } = {};
    if (errors.captureStackTrace === undefined) holder.stack = new Error().stack;
    else errors.captureStackTrace(holder, entry);
    const stack = holder.stack; // Reading formats it, while the limit and the source maps still apply.
    if (typeof stack === 'string') frames = stack.slice(stack.indexOf('\n') + 1);
  } catch {
    return ''; // `Error.prepareStackTrace` of the application, of a tracer say, has thrown.
  } finally {
    if (settable) Reflect.set(errors, 'stackTraceLimit', limit);
  }
  return isCutBeforeApplication(frames, depth) ? captureStack(entry, LIBRARY_DEPTH) : frames;
}

function isCutBeforeApplication(frames: string, depth: number): boolean {
  if (depth >= LIBRARY_DEPTH || APPLICATION_LINE.test(frames)) return false;
  return frames.split('\n').length === depth;
}

/** How many frames are looked at to learn which of them are this package's own. */
const LEARNT_DEPTH = 100;

/**
 * One line of a stack. The name of the function ends at the first parenthesis that opens a path or a URL: a folder may be called
 * `app (copy)`. With source maps the name may be empty. The first lookahead refuses a line that has no position at its end. Without it,
 * each ` (` of such a line is tried with all that follows: minutes for a line of a megabyte, as a function with a hostile name has it.
 */
const FRAME =
  /^(?=.*:\d+:\d+\)?$)\s*at (?:async )?(?:(.*?) ?\((?=[^ ()]*[:\\/]))?(?:file:\/\/)?(.+?):(\d+):(\d+)\)?$/s;

/**
 * The folder of this package's own files; `undefined` if a bundler has merged them with others. Frames of this folder are left
 * out: a reader looks for a line of the application. A stack tells it: webpack gives a module the URL from before.
 */
const OWN_FOLDER = /^(.*\/)core\/call-site\.[jt]s$/.exec(
  FRAME.exec(captureStack(undefined, 1))?.[2] ?? '',
)?.[1];

/** The positions of this package's own calls of user code in a bundle, as `path:line:column`. */
const ownPositions = new Set<string>();

let hasLearnt = false;

/** Whether {@link learnOwnFrames} has something to do: a bundler has merged the files, and no call has told yet. */
export function mustLearnOwnFrames(): boolean {
  return !hasLearnt && OWN_FOLDER === undefined;
}

/**
 * Learns, once, at which positions of a bundle this package calls user code: those of the frames between `entry` and what it calls.
 * A minifier renames functions, so only a call can tell. `callEntry` calls the public function `entry` with the function that it is
 * given. Without effect if no bundler has merged the files.
 */
export function learnOwnFrames(entry: unknown, callEntry: (body: () => void) => void): void {
  if (!mustLearnOwnFrames()) return;
  hasLearnt = true;
  callEntry(() => {
    const [, ...inner] = captureStack(undefined, LEARNT_DEPTH).split('\n');
    const outer = captureStack(entry, LEARNT_DEPTH).split('\n').length;
    for (const frame of inner.slice(0, -outer).slice(1)) {
      const [, , path, line, column] = FRAME.exec(frame) ?? [];
      if (path !== undefined && !path.startsWith('node:')) {
        ownPositions.add(`${path}:${line}:${column}`);
      }
    }
  });
}

/**
 * Gives the frames of a stack that {@link captureStack} took, innermost first. Lines without a position are left out, and so
 * are this package's own.
 */
export function parseFrames(stack: string): Frame[] {
  const here = workingDirectory();
  const frames: Frame[] = [];
  for (const text of stack.split('\n')) {
    const match = FRAME.exec(text);
    if (match === null) continue;
    const [, functionName = '', path = '', line = '', column = ''] = match;
    if (OWN_FOLDER !== undefined && path.startsWith(OWN_FOLDER)) continue;
    if (ownPositions.size > 0 && ownPositions.has(`${path}:${line}:${column}`)) continue;
    frames.push({
      functionName,
      file: relativeTo(here, path),
      line: Number(line),
      column: Number(column),
    });
  }
  return frames;
}

/** Gives the innermost frame of the application's own code, or the innermost frame if there is none. */
export function applicationFrame(frames: readonly Frame[]): Frame | undefined {
  return frames.find(isApplicationFrame) ?? frames[0];
}

/** Gives `file:line:column`, which editors and terminals turn into a link. */
export function formatPosition(frame: Frame): string {
  return `${frame.file}:${frame.line}:${frame.column}`;
}

/** Whether a frame belongs to the application: neither to the host nor to a dependency. */
export function isApplicationFrame({ file }: Frame): boolean {
  return !FOREIGN_FILE.test(file);
}

function relativeTo(directory: string | undefined, path: string): string {
  const decoded = path.includes('%') ? decode(path) : path;
  const prefix = directory === undefined ? undefined : `${directory}/`;
  return prefix !== undefined && decoded.startsWith(prefix)
    ? decoded.slice(prefix.length)
    : decoded;
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
