/** The exports, opened by speedscope itself in a real Chromium. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sample } from 'tenure/profile/v8';
import { afterAll, beforeAll, expect } from 'vitest';
import { testOnPage } from '../../kit/chromium.js';

const SPEEDSCOPE = fileURLToPath(
  new URL('../../../node_modules/speedscope/dist/release', import.meta.url),
);

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
};

const server = createServer((request, response) => {
  try {
    const name = new URL(request.url ?? '/', 'http://localhost').pathname.slice(1);
    const body = readFileSync(join(SPEEDSCOPE, name));
    response
      .setHeader('content-type', TYPES[extname(name)] ?? 'application/octet-stream')
      .end(body);
  } catch {
    response.writeHead(404).end();
  }
});

let page: string;

beforeAll(async () => {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  page = `http://127.0.0.1:${(server.address() as AddressInfo).port}/index.html`;
});

afterAll(() => new Promise((resolve) => server.close(resolve)));

function allocateForReaders(): object[] {
  return Array.from({ length: 20_000 }, (_, i) => ({ i, list: [i] }));
}

for (const format of ['heapprofile', 'pprof', 'speedscope', 'collapsed'] as const) {
  testOnPage(`speedscope opens ${format}`, async (tab) => {
    const sampling = sample({ intervalBytes: 2048 });
    const kept = allocateForReaders();
    const profile = await sampling.stop();
    expect(kept.length).toBe(20_000);
    const bytes = format === 'pprof' ? profile.export(format) : profile.export(format);
    await tab.goto(page);
    await tab.locator('input[type=file]').setInputFiles({
      name: `memory.${format}`,
      mimeType: 'application/octet-stream',
      buffer: Buffer.from(bytes),
    });
    await tab.waitForFunction('/memory|Heap/.test(document.title)');
    expect(await tab.title()).toContain(
      format === 'speedscope' ? profile.source : `memory.${format}`,
    );
    expect(await tab.getByText('Something went wrong').count()).toBe(0);
  });
}
