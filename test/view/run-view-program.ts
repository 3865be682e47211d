/** Runs view programs on `tenure/view`. */
import { Exporter, type MemoryView, memoryview, ViewError } from '../../src/view/index.js';
import type { EncodedValue, ViewObservation, ViewOp, ViewProgram } from './view-program.js';

type AnyView = MemoryView;
type Position = number | undefined;

/** Gives what the program observes. An error that is none of a view's is thrown. */
export function runViewProgram({ name, sources, ops }: ViewProgram): ViewObservation {
  const exporters = sources.map((hex) => exporterOf(fromHex(hex)));
  const views: AnyView[] = [];
  const obs = ops.map((op) => {
    try {
      return step(op, exporters, views);
    } catch (error) {
      return kindOf(error);
    }
  });
  return { name, obs };
}

const ON_SOURCES = new Set(['view', 'resize', 'source']);

function step(op: ViewOp, exporters: readonly Exporter[], views: AnyView[]): string {
  const [name, target, first] = op;
  if (ON_SOURCES.has(name)) return onSource(op, exporters[target] as Exporter, views);
  const view = views[target];
  const other = name === 'assign' || name === 'equals' ? views[first as number] : view;
  if (view === undefined || other === undefined) return 'no view';
  return onView(op, view, other, views);
}

function onSource([name, , length]: ViewOp, exporter: Exporter, views: AnyView[]): string {
  switch (name) {
    case 'view':
      return kept(views, memoryview(exporter));
    case 'resize':
      exporter.resize(length as number);
      return String(exporter.length);
    default: {
      const view = memoryview(exporter);
      const hex = view.hex();
      view.release();
      return hex;
    }
  }
}

function onView(op: ViewOp, view: AnyView, other: AnyView, views: AnyView[]): string {
  const [name, , a, b, c, d] = op;
  const format = () => view.format;
  switch (name) {
    case 'again':
      return kept(views, memoryview(view));
    case 'cast':
      return kept(views, view.cast(a as 'B', (b ?? undefined) as number[] | undefined));
    case 'slice':
      return kept(views, view.slice(position(a), position(b), position(c)));
    case 'readonly':
      return kept(views, view.toReadonly());
    case 'at':
      return shown(view.at(...(a as number[])), format());
    case 'set': {
      const indexes = a as readonly number[];
      const value = storedValue(b as EncodedValue, view);
      view.set(indexes.length === 1 ? (indexes[0] as number) : indexes, value as never);
      return 'ok';
    }
    case 'assign':
      view.assign(other, position(b), position(c), position(d));
      return 'ok';
    case 'assignBytes':
      view.assign(fromHex(a as string), position(b), position(c), position(d));
      return 'ok';
    case 'toBytes':
      return toHex(view.toBytes(a as 'C'));
    case 'toList':
      return shown(view.toList(), format());
    case 'iterate':
      return shown([...view], format());
    case 'hex':
      return a === null ? view.hex() : view.hex(a as string, b as number);
    case 'equals':
      return shown(view.equals(other), '?');
    case 'equalsBytes':
      return shown(view.equals(fromHex(a as string)), '?');
    case 'release':
      view.release();
      return 'ok';
    case 'iterateReleased':
      return iterateReleased(view);
    case 'info':
      return info(view);
    default:
      throw new Error(`no operation '${name}'`);
  }
}

function kept(views: AnyView[], view: AnyView): string {
  return String(views.push(view) - 1);
}

function iterateReleased(view: AnyView): string {
  const items = view[Symbol.iterator]();
  const { format } = view;
  const first = items.next();
  view.release();
  try {
    return items.next().done === true ? 'end' : 'more';
  } catch (error) {
    return (first.done === true ? 'none' : shown(first.value, format)) + kindOf(error);
  }
}

function info(view: AnyView): string {
  const flags = [view.readonly, view.contiguous, view.cContiguous, view.fContiguous];
  const dims = `${JSON.stringify(view.shape)} ${JSON.stringify(view.strides)}`;
  return `${view.format} ${view.itemsize} ${view.ndim} ${view.nbytes} ${dims} ${flags.map(Number).join('')} ${view.length}`;
}

function kindOf(error: unknown): string {
  if (error instanceof ViewError) return `!${error.code.slice('TENURE_VIEW_'.length)}`;
  throw error;
}

function shown(item: unknown, format: string): string {
  if (Array.isArray(item)) return `[${item.map((each) => shown(each, format)).join(',')}]`;
  if (item instanceof Uint8Array) return `b${toHex(item)}`;
  if (typeof item === 'boolean') return item ? 'T' : 'F';
  if (typeof item === 'number' && 'efd'.includes(format.at(-1) as string)) return doubleHex(item);
  return String(item);
}

function doubleHex(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  const data = new DataView(new ArrayBuffer(8));
  data.setFloat64(0, value);
  return toHex(new Uint8Array(data.buffer));
}

/**
 * Gives the JavaScript value that stands for a Python one. Python has one type of integers, and its booleans are integers; its
 * floats are none, even where they are whole.
 */
function storedValue({ type, value }: EncodedValue, view: AnyView): unknown {
  const format = formatOf(view);
  const integer = 'lLqQnN'.includes(format) ? BigInt : Number;
  switch (type) {
    case 'int':
      return integer(value);
    case 'float':
      return 'efd?'.includes(format) ? doubleOf(value) : Number.NaN;
    case 'bytes':
      return fromHex(value);
    case 'bool':
      return format === '?' ? value === 'true' : integer(value === 'true');
    case 'none':
      return undefined;
    default:
      return value;
  }
}

function doubleOf(hex: string): number {
  const { buffer, byteOffset } = fromHex(hex);
  return new DataView(buffer, byteOffset, 8).getFloat64(0);
}

/** Gives the character of the format; the one of bytes for a released view, which refuses every value. */
function formatOf(view: AnyView): string {
  try {
    return view.format.at(-1) as string;
  } catch {
    return 'B';
  }
}

function exporterOf(bytes: Uint8Array): Exporter {
  const exporter = new Exporter(bytes.length);
  const view = memoryview(exporter);
  view.assign(bytes);
  view.release();
  return exporter;
}

function position(value: unknown): Position {
  return (value ?? undefined) as Position;
}

function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
