/** `tenure plot`: a record of memory as one SVG, as `mprof plot` of Memory Profiler. */
import { writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { plural } from '../../core/plural.js';
import { parseMemorySamples, type RecordedSample } from '../../profile/measure/memory-samples.js';
import { plotMemory } from '../../profile/measure/plot-memory.js';
import { type Command, EXIT, onlyFile, readArguments, readText, UsageError } from './command.js';

export const plotCommand: Command = {
  usage: 'plot FILE [--out FILE] [--json]',
  summary: 'Draws a record of memory as one SVG.',
  help: `  FILE         JSON lines, as recordMemory({ write: memoryFile(FILE) }) writes them:
               {"atMillis":0,"heapUsed":4000000,"external":0,"arrayBuffers":0,"rss":40000000,"label":"start"}
               "rss" or "heapUsed" must be there. Without "atMillis", lines are equally far apart.
  --out FILE   the picture to write (default: FILE.svg)`,
  run(args, terminal) {
    const { values, files } = readArguments(args, { out: { type: 'string' } });
    const file = onlyFile(files, 'a record: tenure plot run.jsonl');
    const samples = samplesIn(file, readText(file, terminal));
    const out = values.out ?? `${file}.svg`;
    writeFileSync(resolve(terminal.folder, out), plotMemory(samples, { title: basename(file) }));
    if (values.json === true)
      terminal.print(JSON.stringify({ file, out, samples: samples.length }));
    else terminal.print(`${out}: ${plural(samples.length, 'sample')}`);
    return EXIT.fine;
  },
};

function samplesIn(file: string, text: string): RecordedSample[] {
  let samples: RecordedSample[];
  try {
    samples = parseMemorySamples(text);
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`);
  }
  if (samples.length === 0) throw new UsageError(`${file} has no samples.`);
  return samples;
}
