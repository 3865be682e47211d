/**
 * Writes a heap as a Mermaid flowchart, which GitHub and many wikis draw: https://mermaid.js.org/syntax/flowchart.html
 */

import type { SnapshotNode } from '../views/heap-snapshot.js';
import { type HeapPicture, hiddenNote, pictureFacts, pictureName } from './heap-picture.js';
import { fillOf, fillsOf } from './node-fill.js';

export function exportMermaid({ nodes, edges, hidden, focus, colourBy }: HeapPicture): string {
  const lines = ['flowchart LR'];
  for (const node of nodes) {
    lines.push(
      `  ${pictureName(node.handle)}["${escapeLabel(`${node.kind}\n${pictureFacts(node)}`)}"]`,
    );
  }
  for (const { from, to, count, weak } of edges) {
    const label = count > 1 ? `|×${count}|` : '';
    lines.push(`  ${pictureName(from)} ${weak ? '-.->' : '-->'}${label} ${pictureName(to)}`);
  }
  if (hidden > 0) {
    lines.push(`  hidden["${escapeLabel(hiddenNote(hidden))}"]:::note`);
    lines.push('  classDef note fill:none,stroke:none');
  }
  const addClass = (name: string, style: string, members: readonly SnapshotNode[]): void => {
    if (members.length === 0) return;
    lines.push(`  classDef ${name} ${style}`);
    lines.push(`  class ${members.map(({ handle }) => pictureName(handle)).join(',')} ${name}`);
  };
  for (const { key, colour, textColour } of fillsOf(nodes, colourBy)) {
    const members = nodes.filter((node) => fillOf(node, colourBy)?.key === key);
    addClass(key, `fill:${colour},color:${textColour}`, members);
  }
  const roots = nodes.filter(({ isRoot }) => isRoot);
  addClass('root', 'stroke-width:3px', roots);
  const focused = nodes.filter(({ handle }) => handle === focus);
  addClass('focus', 'stroke-dasharray:6 3', focused);
  return `${lines.join('\n')}\n`;
}

/**
 * Escapes a text for Mermaid and for the HTML that Mermaid makes. Every character that could have a meaning becomes
 * `#`, its code point and `;`. Letters, digits and a few harmless characters stay readable.
 */
function escapeLabel(text: string): string {
  return text
    .split(/\r\n|\r|\n/)
    .map((line) =>
      line
        .replaceAll(/\p{Cc}/gu, ' ')
        .replaceAll(
          /[^\p{L}\p{N} _.,·×-]/gu,
          (character) => `#${String(character.codePointAt(0))};`,
        ),
    )
    .join('<br/>');
}
