/** The range of lru-cache versions in package.json. `npm run test:lowest` runs test/memoize on the lowest of them. */
import { readFileSync } from 'node:fs';
import { LRUCache as LowestLruCache } from 'lru-cache-lowest';
import { expect, test, vi } from 'vitest';
import { memoize } from '../../src/memoize/index.js';

const ROOT = new URL('../../', import.meta.url);

function manifest(folder: string): {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
} {
  return JSON.parse(readFileSync(new URL(`${folder}package.json`, ROOT), 'utf8'));
}

test('the range begins at the lowest version that is tested, and ends before the next major', () => {
  const { version } = manifest('node_modules/lru-cache-lowest/');
  expect(manifest('').dependencies['lru-cache']).toBe(`^${version}`);
});

test('a bounded cache runs on the lowest version in the mode `lowest`, and in no other', () => {
  const set = vi.spyOn(LowestLruCache.prototype, 'set');
  try {
    memoize((id: number) => id, { max: 10 })(1);
    expect(set).toHaveBeenCalledTimes(process.env['MODE'] === 'lowest' ? 1 : 0);
  } finally {
    set.mockRestore();
  }
});
