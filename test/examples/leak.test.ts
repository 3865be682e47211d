/** The example at the head of the README, run as a reader runs it. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const EXAMPLE = 'examples/leak/main.ts';
const BLOCKS =
  /<!-- leak:start -->\s+```ts\n(?<code>[\s\S]*?)```\s+prints\s+```text\n(?<report>[\s\S]*?)```\s+<!-- leak:end -->/;

const blocks = BLOCKS.exec(readFileSync(`${PROJECT}/README.md`, 'utf8'))?.groups;

test('the README shows the example as it is', () => {
  expect(blocks?.['code']).toBe(readFileSync(`${PROJECT}/${EXAMPLE}`, 'utf8'));
});

test('the README shows the report that the example prints', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', EXAMPLE], {
    cwd: PROJECT,
    timeout: 15_000,
  });
  expect(withoutAge(stdout)).toBe(withoutAge(blocks?.['report']));
});

function withoutAge(text: string | undefined): string | undefined {
  return text?.replace(/\b(oldest|seen) +[\d.]+m?s/g, '$1 …');
}
