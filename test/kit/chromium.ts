/**
 * Runs tests of pages in a real Chromium: the one that `CHROMIUM` names, or one on the path. Without one, the tests are
 * skipped with a message. In continuous integration, which installs it, that is a failure.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, test } from 'vitest';
import { sayMissing } from './say-missing.js';

const executable = process.env['CHROMIUM'] ?? onPath('chromium', 'google-chrome');

/** Keeps Chromium from connections of its own, which a machine without a network refuses. */
const QUIET = [
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

if (executable === undefined) {
  sayMissing(
    'NO CHROMIUM: put it on the PATH, set CHROMIUM, or run scripts/install-from-debian.sh chromium. Pages are NOT TESTED.',
  );
}

/** How long the first start of the browser may take on a busy machine. */
const STARTING_MILLIS = 60_000;

let browser: Browser;

beforeAll(async () => {
  if (executable === undefined) return;
  browser = await chromium.launch({
    executablePath: executable,
    args: [...QUIET, ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])],
  });
}, STARTING_MILLIS);

afterAll(() => browser?.close());

/** Defines a test with a page of its own. The tests of a file share one browser. */
export function testOnPage(
  name: string,
  body: (page: Page) => Promise<void>,
  options: BrowserContextOptions = {},
): void {
  test.skipIf(executable === undefined)(name, async () => {
    const context = await browser.newContext(options);
    try {
      await body(await context.newPage());
    } finally {
      await context.close();
    }
  });
}

function onPath(...names: string[]): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return names
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
