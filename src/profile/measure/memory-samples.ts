/** Records of memory as text: one reading a line, as JSON. */
import { InvalidArgumentError } from '../../core/errors.js';
import { checkArgument, type OptionCheck } from '../../core/options.js';
import type { MemorySample } from './timeline.js';

/**
 * A reading of a record that any program may have written. It has `rss` or `heapUsed`; other figures, its time and its label may
 * be missing.
 */
export type RecordedSample = Partial<MemorySample>;

const FIGURES = ['atMillis', 'heapUsed', 'arrayBuffers', 'external', 'rss'] as const;

/**
 * Reads a record: what {@link MemoryRecording.toJsonLines} gives, what the option `write` of {@link recordMemory} has got, or
 * what another program has written in this form. A last line without its end was cut short with its process, and is left out.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a line that is no reading, with its number, and for what is no
 * string.
 *
 * @example
 * ```ts
 * import { parseMemorySamples, recordMemory } from 'tenure/profile';
 *
 * using recording = recordMemory();
 * parseMemorySamples(recording.toJsonLines()).length; // => 1
 * parseMemorySamples('{"rss":5000000}\n{"rss":50'); // => [{ rss: 5000000 }]
 * ```
 */
export function parseMemorySamples(text: string): RecordedSample[] {
  checkArgument('parseMemorySamples', 'text', text, aText);
  const lines = text.split('\n');
  return lines.flatMap((line, i) => {
    if (line.trim() === '') return [];
    const value = parsed(line);
    const isCutShort = value === undefined && i === lines.length - 1 && i > 0;
    if (isCutShort) return [];
    const sample = sampleIn(value);
    if (sample !== undefined) return [sample];
    throw new InvalidArgumentError(
      `parseMemorySamples: line ${i + 1} is no reading of memory, a JSON object with \`rss\` or \`heapUsed\` in bytes.`,
    );
  });
}

const aText: OptionCheck = (value) =>
  typeof value === 'string' ? undefined : 'a string, the contents of a record';

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Whether a value is an object whose figures, those that it has, are numbers within ±2^53. A picture of others has no scale. */
export function isSample(value: unknown): value is RecordedSample {
  if (typeof value !== 'object' || value === null) return false;
  const read = value as RecordedSample;
  return FIGURES.every((name) => read[name] === undefined || isFigure(read[name]));
}

function isFigure(value: unknown): boolean {
  return typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER;
}

function sampleIn(read: unknown): RecordedSample | undefined {
  if (!isSample(read)) return undefined;
  if (read.rss === undefined && read.heapUsed === undefined) return undefined;
  const figures = FIGURES.filter((name) => read[name] !== undefined);
  return {
    ...Object.fromEntries(figures.map((name) => [name, read[name]])),
    ...(typeof read.label === 'string' && { label: read.label }),
  };
}
