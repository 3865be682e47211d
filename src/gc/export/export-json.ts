/** Writes a heap as JSON: the nodes of a snapshot, limited as a picture is. Edges may lead to nodes that are hidden. */
import type { HeapPicture } from './heap-picture.js';

export function exportJson({ nodes, hidden, focus }: HeapPicture): string {
  return `${JSON.stringify({ focus: focus ?? null, hidden, nodes }, null, 2)}\n`;
}
