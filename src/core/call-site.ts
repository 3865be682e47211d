/**
 * Call sites: the lines that led to a call, as plain strings.
 *
 * An `Error` whose stack nobody has read yet keeps the frames themselves, and with them `this` and every closure on the
 * stack. A record holding such an error kept 100 of 100 abandoned handles alive, so no collector could ever report
 * them. The stack is therefore formatted at once and the error thrown away. On V8 this costs 4 to 12 µs for 4 to 16
 * frames: sample it on paths that are hotter than that.
 */
import { workingDirectory } from './host.js';

/** One line of a stack. */
export interface Frame {
  /** The function's name as the engine gives it; empty at the top level. */
  readonly functionName: string;
  /** The file, relative to the working directory where it lies within it; else a path or URL. */
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

/** How many frames are taken unless the caller says otherwise. */
const DEFAULT_DEPTH = 10;

/**
 * The stack above `entry`, whose own frame is left out, as the engine prints it, without its first line.
 * Parse it with {@link parseFrames} when it is needed: most stacks never are.
 */
export function captureStack(entry: unknown, depth: number = DEFAULT_DEPTH): string {
  const errors = Error as unknown as V8ErrorConstructor;
  const limit = errors.stackTraceLimit;
  const settable = Reflect.set(errors, 'stackTraceLimit', depth);
  const holder: { stack?: unknown } = {};
  if (errors.captureStackTrace === undefined) holder.stack = new Error().stack;
  else errors.captureStackTrace(holder, entry);
  const stack = holder.stack; // Reading formats it, while the limit and the source maps still apply.
  if (settable) Reflect.set(errors, 'stackTraceLimit', limit);
  return typeof stack === 'string' ? stack.slice(stack.indexOf('\n') + 1) : '';
}

const FRAME = /^\s*at (?:async )?(?:(.*) \()?(?:file:\/\/)?(.+?):(\d+):(\d+)\)?$/;

/**
 * Where this package's own files are, unless a bundler has merged them with others. Its frames say nothing to a reader who
 * looks for a line of the application.
 */
const OWN_FOLDER = /^(?:file:\/\/)?(.*\/)core\/call-site\.[jt]s$/.exec(import.meta.url)?.[1];

/**
 * The frames of a stack that {@link captureStack} took, innermost first. Lines without a position and this package's own
 * are left out.
 */
export function parseFrames(stack: string): Frame[] {
  const here = workingDirectory();
  const frames: Frame[] = [];
  for (const text of stack.split('\n')) {
    const match = FRAME.exec(text);
    if (match === null) continue;
    const [, functionName = '', path = '', line = '', column = ''] = match;
    if (OWN_FOLDER !== undefined && path.startsWith(OWN_FOLDER)) continue;
    frames.push({
      functionName,
      file: relativeTo(here, path),
      line: Number(line),
      column: Number(column),
    });
  }
  return frames;
}

/** The innermost frame of the application's own code: neither the host's nor a dependency's. */
export function applicationFrame(frames: readonly Frame[]): Frame | undefined {
  return frames.find(isApplicationFrame) ?? frames[0];
}

/** `file:line:column`, the form that editors and terminals turn into a link. */
export function formatPosition(frame: Frame): string {
  return `${frame.file}:${frame.line}:${frame.column}`;
}

/** Whether a frame is neither the host's nor a dependency's. */
export function isApplicationFrame({ file }: Frame): boolean {
  return !file.startsWith('node:') && !file.includes('node_modules/');
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
