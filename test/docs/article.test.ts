/** The blocks of Python in docs/article.md print what the page says. Blocks of TypeScript are run by `examples.test.ts`. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { sayMissing } from '../kit/say-missing.js';

const text = readFileSync(new URL('../../docs/article.md', import.meta.url), 'utf8');

const blocks = [...text.matchAll(/```python\n(.*?)```\n\n```text\n(.*?)```/gs)].map(
  ([, code = '', output = '']) => ({ code, output, first: code.trim().split('\n').at(-1) }),
);

/** The version that the page names. Others collect in another way. */
const VERSION = 'Python 3.11';

const python = ['python3.11', 'python3'].find((command) => {
  const { stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' });
  return stdout?.startsWith(VERSION);
});
if (python === undefined) {
  sayMissing(`${VERSION} is not here: the outputs of docs/article.md are not compared with it.`);
}

test.skipIf(python === undefined).each(blocks)(
  'CPython prints what the article shows: $first',
  ({ code, output }) => {
    const { stdout, stderr } = spawnSync(python as string, ['-c', code], { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(stdout).toBe(output);
  },
);

test('each technique has a section, and each section a counterpart that is run', () => {
  const rows = [...text.matchAll(/^\| \[.*?\]\(#(.*?)\) \|/gm)].map(([, anchor]) => anchor);
  const sections = text.split(/^## /m).slice(1);
  const anchors = sections.map((section) =>
    (section.split('\n')[0] ?? '').toLowerCase().replaceAll(' ', '-'),
  );
  expect(rows).toEqual(anchors);
  expect(rows).toHaveLength(21);
  expect(sections.filter((section) => !section.includes('```ts'))).toEqual([]);
  expect(blocks.length).toBeGreaterThanOrEqual(17);
});
