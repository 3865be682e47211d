import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect } from 'vitest';
import type * as Gc from '../../src/gc/index.js';
import { testOnPage } from '../kit/chromium.js';

const ISOLATED = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

const PAGE = `<!doctype html><title>A page</title>
<script type="module">import * as gc from './gc.js'; globalThis.gc = gc;</script>`;

let server: Server;
let origin: string;

beforeAll(async () => {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('../../src/gc/index.ts', import.meta.url))],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
  });
  const module = outputFiles[0]?.text ?? '';
  server = createServer(({ url = '' }, response) => {
    if (url.startsWith('/isolated')) response.setHeaders(new Map(Object.entries(ISOLATED)));
    const isModule = url.endsWith('.js');
    response.setHeader('Content-Type', isModule ? 'text/javascript' : 'text/html');
    response.setHeader('Connection', 'close');
    response.end(isModule ? module : PAGE);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => new Promise((resolve) => server.close(resolve)));

/** Collects a tree of nodes until threads have helped, or cannot help. Returns the figures of the heap. */
async function collectInPage(): Promise<Gc.HeapStats> {
  const { Heap } = (globalThis as unknown as { gc: typeof Gc }).gc;
  const heap = new Heap({ collector: 'parallel', helpers: 2, parallelFrom: 1_000 });
  const nodes: Gc.Handle[] = [];
  for (let i = 0; i < 50_000; i++) {
    const node = heap.alloc();
    const parent = nodes[Math.floor(i / 2)];
    if (parent !== undefined) {
      heap.link(parent, node);
      heap.drop(node);
    }
    nodes.push(node);
  }
  const { collector } = heap.stats();
  const isWaiting = (): boolean =>
    heap.stats().collector.parallelMarks === 0 &&
    heap.stats().collector.serialReason !== 'no-threads';
  for (let round = collector.serialMarks; round < 5_000 && isWaiting(); round++) {
    heap.gc.collect();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const stats = heap.stats();
  heap[Symbol.dispose]();
  return stats;
}

testOnPage('web workers help to mark in a page that is cross-origin isolated', async (page) => {
  await page.goto(`${origin}/isolated/`);
  const stats = await page.evaluate(collectInPage);
  expect(stats.collector.serialReason).toBe('none');
  expect(stats.collector.parallelMarks).toBe(1);
  expect(stats.live).toBe(50_000);
});

testOnPage(
  'marking is serial in a page that is not cross-origin isolated, and the counters give the reason',
  async (page) => {
    await page.goto(`${origin}/plain/`);
    const stats = await page.evaluate(collectInPage);
    expect(stats.collector).toMatchObject({ parallelMarks: 0, serialReason: 'no-threads' });
    expect(stats.collector.serialMarks).toBeGreaterThan(0);
    expect(stats.live).toBe(50_000);
  },
);
