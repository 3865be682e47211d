/** The lines of the zoo's programs that end in `// LEAK: ` and the name of the program. */
import { readdir, readFile } from 'node:fs/promises';
import { SourceMap } from 'node:module';
import { join } from 'node:path';

/** The lines by the name of their program, from 1. */
export type LeakLines = ReadonlyMap<string, readonly number[]>;

/** The file of a compiled zoo with the lines, as pairs of a program and its lines. */
export const LEAK_LINES = 'leak-lines.json';

const PROGRAMS = join(import.meta.dirname, 'programs');

/** The lines in the sources. */
export function leakLines(): Promise<LeakLines> {
  return collectLines(async () => (line) => [line]);
}

/** The lines in the files of `folder`, where each program is compiled, with a source map beside it. */
export function compiledLeakLines(folder: string): Promise<LeakLines> {
  return collectLines(async (source) => {
    const file = join(folder, source.replace(/\.ts$/, '.js'));
    const map = new SourceMap(JSON.parse(await readFile(`${file}.map`, 'utf8')));
    const lines = linesBySource(await readFile(file, 'utf8'), map);
    return (line) => [...(lines.get(line) ?? [])];
  });
}

async function collectLines(
  placesIn: (source: string) => Promise<(line: number) => readonly number[]>,
): Promise<LeakLines> {
  const lines = new Map<string, number[]>();
  for (const source of (await readdir(PROGRAMS)).filter((name) => name.endsWith('.ts'))) {
    const placesOf = await placesIn(source);
    const text = await readFile(join(PROGRAMS, source), 'utf8');
    for (const [i, line] of text.split('\n').entries()) {
      const program = /\/\/ LEAK: (.*)$/.exec(line)?.[1];
      if (program === undefined) continue;
      lines.set(program, [...(lines.get(program) ?? []), ...placesOf(i + 1)]);
    }
  }
  return lines;
}

/** The lines of compiled code by the line of the source that a part of them comes from. */
function linesBySource(code: string, map: SourceMap): Map<number, Set<number>> {
  const lines = new Map<number, Set<number>>();
  for (const [i, text] of code.split('\n').entries()) {
    for (let column = 0; column < text.length; column++) {
      const entry = map.findEntry(i, column);
      if (!('originalLine' in entry)) continue;
      const source = entry.originalLine + 1;
      lines.set(source, (lines.get(source) ?? new Set()).add(i + 1));
    }
  }
  return lines;
}
