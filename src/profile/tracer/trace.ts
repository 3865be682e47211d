/** What a tracer keeps of each thing that it traces. */

/** A line of a traceback. */
export interface TraceFrame {
  /** The file, relative to the working directory if it lies within. */
  readonly file: string;
  /** The line, from 1; 0 for a whole file. */
  readonly line: number;
}

/** One traced thing. */
export interface Trace {
  /** Kind of the thing: the name of a class, or what a component calls it. */
  readonly kind: string;
  /** Bytes that it stands for. */
  readonly size: number;
  /** Lines that led to it, the innermost first. */
  readonly traceback: readonly TraceFrame[];
}

/** Compares tracebacks as CPython does: line by line, the outermost first. */
export function compareTracebacks(a: readonly TraceFrame[], b: readonly TraceFrame[]): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 1; i <= shared; i++) {
    const [x, y] = [a[a.length - i] as TraceFrame, b[b.length - i] as TraceFrame];
    if (x.file !== y.file) return x.file < y.file ? -1 : 1;
    if (x.line !== y.line) return x.line - y.line;
  }
  return a.length - b.length;
}

/** Gives a text that is equal for equal tracebacks. */
export function tracebackKey(traceback: readonly TraceFrame[]): string {
  return traceback.map(({ file, line }) => `${line}:${file}`).join('\n');
}

/** Gives `file:line`; the file alone for a whole file. */
export function formatFrame({ file, line }: TraceFrame): string {
  return line === 0 ? file : `${file}:${line}`;
}
