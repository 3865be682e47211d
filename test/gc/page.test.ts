import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { exportHeap, Heap } from '../../src/gc/index.js';
import { testOnPage } from '../kit/chromium.js';
import { chain, smallHeap } from './small-heaps.js';

/** Shows the page. Returns a list that collects its errors, messages and network requests. */
async function show(page: Page, html: string): Promise<string[]> {
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => complaints.push(request.url()));
  page.on('dialog', (dialog) => complaints.push(dialog.message()));
  await page.setContent(html);
  return complaints;
}

function places(page: Page): Promise<{ x: number; y: number }[]> {
  return page.locator('#picture .node').evaluateAll((nodes) =>
    nodes.map((node) => {
      const circle = node.querySelector('circle') as SVGCircleElement;
      const { x, y, width, height } = circle.getBoundingClientRect();
      return { x: x + width / 2, y: y + height / 2 };
    }),
  );
}

testOnPage(
  'the page draws every node and edge within the picture, apart, and in the same place each time',
  async (page) => {
    const html = exportHeap(chain(60).heap, 'html');
    const complaints = await show(page, html);
    expect(await page.locator('#picture .node').count()).toBe(60);
    expect(await page.locator('#picture .edge').count()).toBe(59);
    const first = await places(page);
    const frame = await page.locator('#picture').boundingBox();
    for (const [i, { x, y }] of first.entries()) {
      expect(x).toBeGreaterThan(frame?.x ?? Number.NaN);
      expect(y).toBeGreaterThan(frame?.y ?? Number.NaN);
      expect(x).toBeLessThan((frame?.x ?? 0) + (frame?.width ?? 0));
      expect(y).toBeLessThan((frame?.y ?? 0) + (frame?.height ?? 0));
      for (const other of first.slice(i + 1)) {
        expect(Math.hypot(x - other.x, y - other.y)).toBeGreaterThan(8);
      }
    }
    await page.setContent(html);
    expect(await places(page)).toEqual(first);
    expect(complaints).toEqual([]);
  },
);

testOnPage('an empty heap makes an empty picture', async (page) => {
  const complaints = await show(page, exportHeap(new Heap(), 'html'));
  expect(await page.locator('#picture .node').count()).toBe(0);
  expect(complaints).toEqual([]);
});

testOnPage(
  'Tab reaches one node, arrow keys the others, and the selected node shows its facts',
  async (page) => {
    const complaints = await show(page, exportHeap(smallHeap().heap, 'html'));
    const nodes = page.locator('#picture .node');
    const names = await nodes.evaluateAll((all) =>
      all.map((node) => node.getAttribute('aria-label')),
    );
    expect(names[0]).toBe('list, generation 2, n16 · 1 ref · 56 B · root');
    await nodes.nth(1).focus();
    expect(await page.locator('#facts').textContent()).toMatch(
      /^item\nn17 · 2 refs\n.*\nhandle \d+\nrefers to: nothing shown\nreferred to by: n16, n18$/,
    );
    expect(await page.locator('#picture .node[tabindex="0"]').count()).toBe(1);
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
    const seen = new Set<string | null | undefined>();
    for (const key of ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown']) {
      for (const from of [0, 1, 2]) {
        await nodes.nth(from).focus();
        await page.keyboard.press(key);
        if ((await focused()) !== names[from]) seen.add(await focused());
      }
    }
    expect(seen).toEqual(new Set(names));
    await page.keyboard.press('Escape');
    expect(await page.locator('#facts').textContent()).toBe('');
    expect(complaints).toEqual([]);
  },
);

testOnPage(
  'a click selects a node, the buttons zoom, and dragging moves the picture',
  async (page) => {
    const complaints = await show(page, exportHeap(smallHeap().heap, 'html'));
    const [before] = await places(page);
    await page.mouse.click(before?.x ?? 0, before?.y ?? 0);
    expect(await page.locator('#facts').textContent()).toMatch(/^list\n/);
    const box = () => page.locator('#picture').getAttribute('viewBox');
    const whole = await box();
    await page.getByRole('button', { name: 'Zoom in' }).click();
    const near = await box();
    expect(Number(near?.split(' ')[2])).toBeLessThan(Number(whole?.split(' ')[2]));
    const frame = await page.locator('#picture').boundingBox();
    await page.mouse.move((frame?.x ?? 0) + 5, (frame?.y ?? 0) + 5);
    await page.mouse.down();
    await page.mouse.move((frame?.x ?? 0) + 55, (frame?.y ?? 0) + 25);
    await page.mouse.up();
    expect(Number((await box())?.split(' ')[0])).toBeLessThan(Number(near?.split(' ')[0]));
    expect(complaints).toEqual([]);
  },
);

testOnPage('the page shows any kind as text', async (page) => {
  const kinds = [
    '</script><script>alert(1)</script>',
    '"quoted" \'twice\' \\ \\n \\',
    '<!--<script>',
    'a\nb\r\nc\td',
    '&lt;b&gt; #quot; & é 漢字 🐍',
    '<img src=x onerror=alert(1)>',
  ];
  const heap = new Heap();
  for (const kind of kinds) heap.alloc({ kind });
  const complaints = await show(page, exportHeap(heap, 'html'));
  for (const [i, kind] of kinds.entries()) {
    await page.locator('#picture .node').nth(i).focus();
    const facts = await page.locator('#facts').evaluate((element) => element.textContent);
    expect(facts).toContain(`${kind}\nn${16 + i} · 1 ref · root`);
  }
  expect(await page.locator('img').count()).toBe(0);
  expect(complaints).toEqual([]);
});

testOnPage(
  'the page lists its nodes without scripts',
  async (page) => {
    await page.setContent(exportHeap(smallHeap().heap, 'html'));
    await page.getByText('The nodes as a list').click();
    expect(
      await page.getByText('list: n16 · 1 ref · 56 B · root · generation 2 → n17, n17').isVisible(),
    ).toBe(true);
  },
  { javaScriptEnabled: false },
);

testOnPage(
  'the page shows generations and the three colours of a collection differently',
  async (page) => {
    const heap = new Heap({ collector: 'incremental' });
    const [root, child] = [heap.alloc(), heap.alloc()];
    heap.link(root, child);
    heap.drop(child);
    const fills = (): Promise<string[]> =>
      page
        .locator('#picture .node circle')
        .evaluateAll((circles) => circles.map((circle) => getComputedStyle(circle).fill));
    await show(page, exportHeap(heap, 'html'));
    expect(new Set(await fills())).toEqual(new Set(['rgb(155, 211, 245)']));
    while (heap.colour(child) !== 'grey') heap.step({ objects: 1 });
    await page.setContent(exportHeap(heap, 'html', { colourBy: 'tri-colour' }));
    expect(await fills()).toEqual(['rgb(34, 34, 34)', 'rgb(168, 168, 168)']);
  },
);
