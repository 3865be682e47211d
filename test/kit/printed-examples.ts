/** The example files that a page of the documentation prints. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

const BLOCK = /^`(examples\/\S+)`:\n\n```typescript\n([\s\S]*?)^```$/gm;

/** An example as a page prints it, and as its file is. */
export interface PrintedExample {
  readonly file: string;
  readonly printed: string;
  readonly source: string;
}

export function printedExamples(page: string): PrintedExample[] {
  const text = readFileSync(`${PROJECT}/${page}`, 'utf8');
  return [...text.matchAll(BLOCK)].map(([, file = '', printed = '']) => {
    return { file, printed, source: readFileSync(`${PROJECT}/${file}`, 'utf8') };
  });
}
