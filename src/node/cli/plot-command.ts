/** `tenure plot`: a record of memory as one SVG, as `mprof plot` of Memory Profiler. */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { type MemorySample, plotMemory } from '../profile/plot-memory.js';
import { type Command, EXIT, onlyFile, readArguments, UsageError } from './command.js';

export const plotCommand: Command = {
  usage: 'plot FILE [--out FILE] [--json]',
  summary: 'Draws a record of memory as one SVG.',
  help: `  FILE         JSON lines, as recordMemory() of tenure/profile/v8 writes them:
               {"atMillis":0,"heapUsed":4000000,"external":0,"arrayBuffers":0,"rss":40000000,"label":"start"}
               Without "atMillis", lines are equally far apart. "label" marks a moment, and is optional.
  --out FILE   the picture to write (default: FILE.svg)`,
  run(args, terminal) {
    const { values, files } = readArguments(args, { out: { type: 'string' } });
    const file = onlyFile(files, 'a record: tenure plot run.jsonl');
    const samples = samplesIn(file, readFileSync(resolve(terminal.folder, file), 'utf8'));
    const out = values.out ?? `${file}.svg`;
    writeFileSync(resolve(terminal.folder, out), plotMemory(samples, basename(file)));
    if (values.json === true)
      terminal.print(JSON.stringify({ file, out, samples: samples.length }));
    else terminal.print(`${out}: ${samples.length} samples`);
    return EXIT.fine;
  },
};

function samplesIn(file: string, text: string): MemorySample[] {
  const lines = text.split('\n').map((line, i) => ({ line, number: i + 1 }));
  const samples = lines
    .filter(({ line }) => line.trim() !== '')
    // A process that was killed leaves half a line at the end.
    .flatMap(({ line, number }, i, all) => {
      const sample = parsed(line);
      if (sample !== undefined) return [sample];
      if (i === all.length - 1 && i > 0) return [];
      throw new UsageError(
        `${file}:${number} is no sample of memory: a JSON object with rss or heapUsed.`,
      );
    });
  if (samples.length === 0) throw new UsageError(`${file} has no samples.`);
  return samples;
}

function parsed(line: string): MemorySample | undefined {
  try {
    const sample = JSON.parse(line) as MemorySample | null;
    return typeof sample?.rss === 'number' || typeof sample?.heapUsed === 'number'
      ? sample
      : undefined;
  } catch {
    return undefined;
  }
}
