import { Script } from 'node:vm';
import { expect, test } from 'vitest';
import {
  exportHeap,
  type Handle,
  Heap,
  type HeapExportFormat,
  type HeapExportOptions,
  InvalidArgumentError,
} from '../../src/gc/index.js';
import { chain, smallHeap } from './small-heaps.js';

const FORMATS: readonly HeapExportFormat[] = ['dot', 'mermaid', 'json', 'html'];

function shownIn(heap: Heap, options: HeapExportOptions): Handle[] {
  const { nodes } = JSON.parse(exportHeap(heap, 'json', options)) as {
    nodes: { handle: Handle }[];
  };
  return nodes.map(({ handle }) => handle);
}

test('DOT draws nodes, edges with their count, and dashed weak references', () => {
  const { heap, list, item, weak } = smallHeap();
  expect(exportHeap(heap, 'dot', { focus: item })).toBe(
    `digraph heap {
  rankdir=LR;
  node [shape=box, style="rounded,filled", fillcolor="white", fontname="sans-serif"];
  n16 [label="list\\nn16 · 1 ref · 56 B · root", tooltip="handle ${list}, generation 2", fillcolor="#3cb489", penwidth=3];
  n17 [label="item\\nn17 · 2 refs", tooltip="handle ${item}, generation 2", fillcolor="#3cb489", peripheries=2];
  n18 [label="weakref\\nn18 · 1 ref · root", tooltip="handle ${weak}, generation 0", fillcolor="#9bd3f5", penwidth=3];
  n16 -> n17 [label="×2"];
  n18 -> n17 [style=dashed];
}
`,
  );
});

test('Mermaid draws nodes, edges with their count, and dashed weak references', () => {
  const { heap, item } = smallHeap();
  expect(exportHeap(heap, 'mermaid', { focus: item })).toBe(
    `flowchart LR
  n16["list<br/>n16 · 1 ref · 56 B · root"]
  n17["item<br/>n17 · 2 refs"]
  n18["weakref<br/>n18 · 1 ref · root"]
  n16 -->|×2| n17
  n18 -.-> n17
  classDef gen-0 fill:#9bd3f5,color:#000
  class n18 gen-0
  classDef gen-2 fill:#3cb489,color:#000
  class n16,n17 gen-2
  classDef root stroke-width:3px
  class n16,n18 root
  classDef focus stroke-dasharray:6 3
  class n17 focus
`,
  );
});

test('JSON has the nodes of the snapshot', () => {
  const { heap, list } = smallHeap();
  expect(JSON.parse(exportHeap(heap, 'json', { focus: list }))).toEqual({
    focus: list,
    hidden: 0,
    nodes: heap.snapshot().nodes,
  });
  expect(JSON.parse(exportHeap(heap, 'json'))).toMatchObject({ focus: null });
});

test.each(FORMATS)(
  '%s exports equal heaps equally, and colours nodes only on request',
  (format) => {
    const { heap } = smallHeap();
    expect(exportHeap(heap, format)).toBe(exportHeap(heap, format));
    const colours = /#9bd3f5|#3cb489/;
    expect(colours.test(exportHeap(heap, format))).toBe(format !== 'json');
    expect(exportHeap(heap, format, { colourBy: 'none' })).not.toMatch(colours);
  },
);

test('a focus shows the nodes around it, along edges and against them, within the radius', () => {
  const { heap, nodes } = chain(9);
  const focus = nodes[4] as Handle;
  expect(shownIn(heap, { focus, radius: 0 })).toEqual([focus]);
  expect(shownIn(heap, { focus, radius: 2 })).toEqual(nodes.slice(2, 7));
  expect(shownIn(heap, { focus })).toEqual(nodes);
  expect(shownIn(heap, { focus, maxNodes: 3 })).toEqual(nodes.slice(3, 6));
});

test('a weak reference is next to its target, and the target is next to it', () => {
  const { heap, item, weak } = smallHeap();
  expect(shownIn(heap, { focus: weak, radius: 1 })).toEqual([item, weak]);
  expect(shownIn(heap, { focus: item, radius: 1 })).toContain(weak);
});

test('the export shows 200 nodes, beginning at the roots, and counts the others', () => {
  const { heap, nodes } = chain(300);
  const later = heap.alloc({ kind: 'a root that lies behind them' });
  const shown = shownIn(heap, {});
  expect(shown).toEqual([...nodes.slice(0, 199), later]);
  expect(exportHeap(heap, 'dot')).toContain('label="101 more nodes not shown";');
  expect(exportHeap(heap, 'mermaid')).toContain('hidden["101 more nodes not shown"]:::note');
  expect(exportHeap(heap, 'html')).toContain('<p>200 nodes, 101 more nodes not shown</p>');
  expect(JSON.parse(exportHeap(heap, 'json'))).toMatchObject({ hidden: 101 });
  expect(exportHeap(heap, 'dot', { maxNodes: 300 })).toContain('"1 more node not shown"');
  for (const format of FORMATS) {
    expect(exportHeap(heap, format, { maxNodes: 301 })).not.toMatch(/not shown"|more node/);
  }
});

test('the export shows unreachable nodes after the nodes that roots reach', () => {
  const heap = new Heap();
  const stray = heap.alloc();
  heap.link(stray, stray);
  heap.drop(stray);
  const root = heap.alloc();
  expect(shownIn(heap, { maxNodes: 1 })).toEqual([root]);
  expect(shownIn(heap, {})).toEqual([stray, root]);
});

test('an empty heap makes an empty picture', () => {
  const heap = new Heap();
  expect(exportHeap(heap, 'dot')).toMatch(/^digraph heap \{[^>\]]*\];\n\}\n$/);
  expect(exportHeap(heap, 'mermaid')).toBe('flowchart LR\n');
  expect(JSON.parse(exportHeap(heap, 'json'))).toEqual({ focus: null, hidden: 0, nodes: [] });
});

const NASTY = [
  '</script><script>alert(1)</script>',
  '"quoted" \'twice\' \\ \\n \\',
  '<!--<script>',
  'a\nb\r\nc\td\u0000',
  '"]; n1 --> n2 %% ` end',
  '&lt;b&gt; #quot; & é 漢字 🐍',
  '<img src=x onerror=alert(1)>',
];

test('DOT keeps any kind within its quotes', () => {
  for (const kind of NASTY) {
    const heap = new Heap();
    heap.alloc({ kind });
    const [, , , node] = exportHeap(heap, 'dot', { colourBy: 'none' }).split('\n');
    const [, label, ...rest] =
      /^ {2}n16 \[label="((?:[^"\\]|\\.)*)", (.*)\];$/.exec(node ?? '') ?? [];
    expect(rest).toEqual([
      expect.stringMatching(/^tooltip="handle \d+, generation 0", penwidth=3$/),
    ]);
    expect(fromDot(label ?? '')).toBe(`${withoutControls(kind)}\nn16 · 1 ref · root`);
  }
});

test('Mermaid keeps any kind within its quotes', () => {
  for (const kind of NASTY) {
    const heap = new Heap();
    heap.alloc({ kind });
    const [, node] = exportHeap(heap, 'mermaid').split('\n');
    const [, label] =
      /^ {2}n16\["([^"`\\[\]{}()<>&|]*(?:<br\/>[^"`\\[\]{}()<>&|]*)*)"\]$/.exec(node ?? '') ?? [];
    expect(fromMermaid(label ?? '')).toBe(`${withoutControls(kind)}\nn16 · 1 ref · root`);
  }
});

test('HTML shows any kind as text only', () => {
  for (const kind of NASTY) {
    const heap = new Heap();
    heap.alloc({ kind });
    const page = exportHeap(heap, 'html');
    expect(page.match(/<script/g)).toHaveLength(2);
    expect(page.match(/<\/script>/g)).toHaveLength(2);
    expect(page).not.toMatch(/<!--|<img/);
  }
});

test('the page is one file that loads nothing, and its policy forbids loading', () => {
  const { heap } = smallHeap();
  const page = exportHeap(heap, 'html');
  expect(page).toContain(
    `content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"`,
  );
  expect(page).not.toMatch(/\bsrc=|\bhref=|@import|url\((?!#)|fetch\(|XMLHttpRequest|import\(/);
  expect(page.match(/https?:[^'"]*/g)).toEqual(['http://www.w3.org/2000/svg']);
  expect(page).not.toMatch(/innerHTML|document\.write|eval\(/);
});

test('the page closes its elements in the order of their nesting', () => {
  const { heap } = smallHeap();
  const markup = exportHeap(heap, 'html').replaceAll(
    /(<(style|script)[^>]*>)[\s\S]*?(<\/\2>)/g,
    '$1$3',
  );
  const open: string[] = [];
  for (const [, end, name, own] of markup.matchAll(/<(\/?)([a-z0-9]+)[^>]*?(\/?)>/g)) {
    if (own === '/' || name === 'meta') continue;
    if (end === '/') expect(open.pop()).toBe(name);
    else open.push(name as string);
  }
  expect(open).toEqual([]);
});

test('the page has a legend, light and dark colours, and a list of the nodes', () => {
  const { heap } = smallHeap();
  const page = exportHeap(heap, 'html');
  for (const entry of ['generation 0', 'generation 2', 'held from outside', 'weak reference']) {
    expect(page).toMatch(new RegExp(`<li><svg.*</svg> ${entry}</li>`));
  }
  expect(page).not.toContain('</svg> generation 1</li>');
  expect(page).toContain('@media (prefers-color-scheme: dark)');
  expect(page).toContain('<li>list: n16 · 1 ref · 56 B · root · generation 2 → n17, n17</li>');
});

test('the program of the page is valid, and contains nothing that could end its element', () => {
  const [, script] = /<script>([\s\S]*?)<\/script>/.exec(exportHeap(new Heap(), 'html')) ?? [];
  expect(() => new Script(script ?? '')).not.toThrow();
  expect(script).not.toContain('<');
});

test('malformed options throw', () => {
  const { heap, item } = smallHeap();
  const bad = (format: unknown, options?: unknown): void => {
    expect(() =>
      exportHeap(heap, format as HeapExportFormat, options as HeapExportOptions),
    ).toThrow(InvalidArgumentError);
  };
  bad('svg');
  bad('dot', { radius: 2 });
  bad('dot', { focus: item, radius: -1 });
  bad('dot', { focus: new Heap().alloc() });
  bad('dot', { maxNodes: 0 });
  bad('dot', { colors: true });
});

function withoutControls(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll(/[^\P{Cc}\n]/gu, ' ');
}

function fromDot(label: string): string {
  return label
    .replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped))
    .replaceAll(/&(amp|lt|gt);/g, (_, name: string) => ({ amp: '&', lt: '<' })[name] ?? '>');
}

function fromMermaid(label: string): string {
  return label
    .replaceAll('<br/>', '\n')
    .replaceAll(/#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)));
}

test('during an incremental collection, the export can show the three colours', () => {
  const heap = new Heap({ collector: 'incremental' });
  const [root, child] = [heap.alloc({ kind: 'root' }), heap.alloc({ kind: 'child' })];
  const lost = heap.alloc({ kind: 'lost' });
  heap.link(root, child);
  heap.link(lost, lost);
  heap.drop(child);
  heap.drop(lost);
  const colourBy = 'tri-colour';
  expect(exportHeap(heap, 'dot', { colourBy })).not.toContain('fillcolor="#');
  while (heap.colour(child) !== 'grey') heap.step({ objects: 1 });
  const fills = exportHeap(heap, 'dot', { colourBy }).matchAll(/label="(\w+).*fillcolor="(#\w+)"/g);
  expect([...fills].map(([, kind, fill]) => [kind, fill])).toEqual([
    ['root', '#222222'],
    ['child', '#a8a8a8'],
    ['lost', '#ffffff'],
  ]);
  expect(exportHeap(heap, 'mermaid', { colourBy })).toContain('  class n16 black\n');
  expect(JSON.parse(exportHeap(heap, 'json')).nodes[2].colour).toBe('white');
  const page = exportHeap(heap, 'html', { colourBy });
  expect(page).toContain('.black circle { fill: #222222; }');
  expect(page).toContain('grey: reached</li>');
});
