import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

const BLOCK = /^`(examples\/\S+)`:\n\n```typescript\n([\s\S]*?)^```$/gm;

test.each([
  ['docs/recipes/postgres.md', ['client-pool', 'listen', 'adopted-pool'], 'examples/postgres'],
  [
    'docs/recipes/other-clients.md',
    ['ioredis-pool', 'redis-pool', 'worker-pool'],
    'examples/clients',
  ],
])('%s has the example files unchanged', (page, names, folder) => {
  const text = readFileSync(`${PROJECT}/${page}`, 'utf8');
  const printed = [...text.matchAll(BLOCK)].map(([, file, code]) => ({ file, code }));
  const written = names.map((name) => {
    const file = `${folder}/${name}.ts`;
    return { file, code: readFileSync(`${PROJECT}/${file}`, 'utf8') };
  });
  expect(printed).toEqual(written);
});
