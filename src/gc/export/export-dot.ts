/** Writes a heap in the language of Graphviz: https://graphviz.org/doc/info/lang.html */
import { type HeapPicture, hiddenNote, pictureFacts, pictureName } from './heap-picture.js';
import { fillOf, generationName } from './node-fill.js';

export function exportDot({ nodes, edges, hidden, focus, colourBy }: HeapPicture): string {
  const drawn = nodes.map((node) => {
    const attributes = [
      `label=${quote(`${node.kind}\n${pictureFacts(node)}`)}`,
      `tooltip=${quote(`handle ${node.handle}, ${generationName(node.generation)}`)}`,
    ];
    const fill = fillOf(node, colourBy);
    if (fill !== undefined) attributes.push(`fillcolor=${quote(fill.colour)}`);
    if (fill?.textColour === '#fff') attributes.push('fontcolor="#fff"');
    if (node.isRoot) attributes.push('penwidth=3');
    if (node.handle === focus) attributes.push('peripheries=2');
    return `  ${pictureName(node.handle)} [${attributes.join(', ')}];`;
  });
  const lines = edges.map(({ from, to, count, weak }) => {
    const attributes = [weak ? 'style=dashed' : '', count > 1 ? `label="×${count}"` : ''];
    const given = attributes.filter((attribute) => attribute !== '').join(', ');
    return `  ${pictureName(from)} -> ${pictureName(to)}${given === '' ? '' : ` [${given}]`};`;
  });
  return [
    'digraph heap {',
    '  rankdir=LR;',
    '  node [shape=box, style="rounded,filled", fillcolor="white", fontname="sans-serif"];',
    ...(hidden > 0 ? [`  label=${quote(hiddenNote(hidden))};`] : []),
    ...drawn,
    ...lines,
    '}',
    '',
  ].join('\n');
}

/** Escapes a text for Graphviz, which reads escapes and HTML entities within quotes. */
function quote(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('&', '&amp;')
    .replaceAll(/\r\n|\r|\n/g, '\\n')
    .replaceAll(/\p{Cc}/gu, ' ');
  return `"${escaped}"`;
}
