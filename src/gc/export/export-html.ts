/**
 * Writes a heap as one page that draws it. The page contains everything that it needs, and its content security policy
 * forbids loading anything. The heap is data for the program of the page, which inserts it as text, never as markup. A
 * list of the nodes serves readers who do not see the picture, or who disable scripts.
 */

import { plural } from '../../core/plural.js';
import type { SnapshotNode } from '../views/heap-snapshot.js';
import { type HeapPicture, hiddenNote, pictureFacts, pictureName } from './heap-picture.js';
import { HTML_PICTURE_SCRIPT } from './html-picture-script.js';
import { fillOf, fillsOf, generationName } from './node-fill.js';

export function exportHtml(picture: HeapPicture): string {
  const { nodes, hidden } = picture;
  const shown = plural(nodes.length, 'node');
  const caption = hidden > 0 ? `${shown}, ${hiddenNote(hidden)}` : shown;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Heap: ${caption}</title>
<style>
${STYLE}${fillRules(picture)}</style>
</head>
<body>
<header>
<h1>Heap</h1>
<p>${caption}</p>
<ul class="legend" aria-label="Legend">
${legend(picture)}
</ul>
<p><button type="button" id="zoom-in" aria-label="Zoom in">+</button> <button type="button" id="zoom-out" aria-label="Zoom out">−</button>
<small>Tab to the picture, arrow keys to move between nodes, + and − to zoom, Escape to let go.</small></p>
</header>
<main>
<svg id="picture" role="group" aria-label="Nodes and edges of the heap">
<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>
</svg>
<pre id="facts" role="status" aria-live="polite"></pre>
</main>
<details>
<summary>The nodes as a list</summary>
<ul>
${nodes.map(listItem).join('\n')}
</ul>
</details>
<script type="application/json" id="heap">${dataOf(picture)}</script>
<script>${HTML_PICTURE_SCRIPT}</script>
</body>
</html>
`;
}

const STYLE = `:root { color-scheme: light dark; --ink: #1b1b1b; --paper: #fff; --line: #767676; --plain: #e4e4e4; }
@media (prefers-color-scheme: dark) { :root { --ink: #eee; --paper: #161616; --line: #9a9a9a; --plain: #4a4a4a; } }
body { margin: 0; padding: 0 1rem 1rem; font: 15px/1.4 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
h1 { margin: 0.6rem 0 0; font-size: 1.2rem; }
p { margin: 0.3rem 0; }
main { display: flex; flex-wrap: wrap; gap: 1rem; }
svg { flex: 3 1 30rem; height: 75vh; min-width: 0; border: 1px solid var(--line); touch-action: none; }
pre { flex: 1 1 14rem; margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.legend { display: flex; flex-wrap: wrap; gap: 0.3rem 1.2rem; margin: 0.4rem 0; padding: 0; list-style: none; }
.legend svg { flex: none; width: 34px; height: 18px; border: 0; vertical-align: middle; }
.edge path { fill: none; stroke: var(--line); stroke-width: 1.2; }
.weak path { stroke-dasharray: 5 4; }
marker path { fill: var(--line); }
text { fill: var(--ink); font-size: 11px; text-anchor: middle; }
.node { cursor: pointer; outline: none; }
.node circle { fill: var(--plain); stroke: var(--line); stroke-width: 1; }
.root circle { stroke: var(--ink); stroke-width: 3.5; }
.focus circle { stroke-dasharray: 6 3; stroke: var(--ink); stroke-width: 2.5; }
.node:focus circle { stroke: Highlight; stroke-width: 5; stroke-dasharray: none; }
.selecting .node:not(.lit), .selecting .edge:not(.lit) { opacity: 0.25; }
`;

function fillRules({ nodes, colourBy }: HeapPicture): string {
  return fillsOf(nodes, colourBy)
    .map(({ key, colour }) => `.${key} circle { fill: ${colour}; }\n`)
    .join('');
}

function legend({ nodes, colourBy, focus }: HeapPicture): string {
  const entries = fillsOf(nodes, colourBy).map(({ key, meaning }) => [dot(key), meaning]);
  if (nodes.some(({ isRoot }) => isRoot)) entries.push([dot('root'), 'held from outside']);
  if (focus !== undefined) entries.push([dot('focus'), 'focus']);
  entries.push([line('edge'), 'edge']);
  if (nodes.some(({ target }) => target !== undefined)) {
    entries.push([line('edge weak'), 'weak reference']);
  }
  return entries.map(([sign, text]) => `<li>${sign} ${text}</li>`).join('\n');
}

function dot(classes: string): string {
  return `<svg viewBox="0 0 34 18" aria-hidden="true"><g class="node ${classes}"><circle cx="17" cy="9" r="6"/></g></svg>`;
}

function line(classes: string): string {
  return `<svg viewBox="0 0 34 18" aria-hidden="true"><g class="${classes}"><path d="M2 9H32"/></g></svg>`;
}

function listItem(node: SnapshotNode): string {
  const edges = node.edges.map(pictureName).join(', ');
  const targets = edges === '' ? '' : ` → ${edges}`;
  const generation = generationName(node.generation);
  return `<li>${escapeHtml(node.kind)}: ${pictureFacts(node)} · ${generation}${targets}</li>`;
}

/**
 * Returns the data of the page as JSON. Edges refer to nodes by position. The text has no `<`, so it cannot end its
 * script element.
 */
function dataOf({ nodes, edges, focus, colourBy }: HeapPicture): string {
  const positions = new Map(nodes.map(({ handle }, i) => [handle, i]));
  const data = {
    nodes: nodes.map((node) => ({
      handle: node.handle,
      name: pictureName(node.handle),
      kind: node.kind,
      fillClass: fillOf(node, colourBy)?.key ?? '',
      generationName: generationName(node.generation),
      facts: pictureFacts(node),
      root: node.isRoot,
      focus: node.handle === focus,
    })),
    edges: edges.map((edge) => ({
      ...edge,
      from: positions.get(edge.from),
      to: positions.get(edge.to),
    })),
  };
  return JSON.stringify(data).replaceAll('<', '\\u003c');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] as string);
}
