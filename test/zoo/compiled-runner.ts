/** The runner of a compiled zoo, whose folder is the working directory. */
import { readFile } from 'node:fs/promises';
import { LEAK_LINES } from './leak-lines.js';
import { ZooRunner } from './zoo.js';

export async function compiledRunner(): Promise<ZooRunner> {
  return new ZooRunner(new Map(JSON.parse(await readFile(LEAK_LINES, 'utf8'))));
}
