/**
 * A heap to look at, or to give to another program. A function of its own and not a method: the page that it can write
 * would otherwise be part of every program that uses a heap, the watchdog's among them.
 */
import { InvalidArgumentError } from '../../core/errors.js';
import { checkArgument, checkOptions, integer, oneOf } from '../../core/options.js';
import type { Handle } from '../memory/handle.js';
import type { HeapSnapshot } from '../views/heap-snapshot.js';
import { exportDot } from './export-dot.js';
import { exportHtml } from './export-html.js';
import { exportJson } from './export-json.js';
import { exportMermaid } from './export-mermaid.js';
import { type HeapPicture, pictureOf } from './heap-picture.js';
import type { PictureColours } from './node-fill.js';

/** A language that a heap can be written in. */
export type HeapExportFormat = 'dot' | 'mermaid' | 'json' | 'html';

/** What part of the heap is exported, and how. */
export interface HeapExportOptions {
  /**
   * The node in the middle: what is around it is shown, along edges and against them.
   *
   * @defaultValue none: the roots and what they reach, then the rest
   */
  readonly focus?: Handle;
  /**
   * How many edges away from the focus a node may be. Needs a focus.
   *
   * @defaultValue Infinity
   */
  readonly radius?: number;
  /**
   * The most nodes to show; what is shown says how many are not.
   *
   * @defaultValue 200
   */
  readonly maxNodes?: number;
  /**
   * What the fill of a node tells: its generation, or in the middle of an incremental collection how far it has come with it.
   *
   * @defaultValue 'generation'
   */
  readonly colours?: PictureColours;
}

/** What can be exported: a {@link Heap}, or anything else that has a snapshot of one. */
export interface HeapExportSource {
  /** The heap as plain data. */
  snapshot(): HeapSnapshot;
}

const WRITERS: Readonly<Record<HeapExportFormat, (picture: HeapPicture) => string>> = {
  dot: exportDot,
  mermaid: exportMermaid,
  json: exportJson,
  html: exportHtml,
};

/**
 * The heap, or a part of it, in the language of Graphviz (`dot`), as a Mermaid flowchart (`mermaid`), as `json`, or as one
 * `html` page which draws it, needs nothing else and loads nothing. The same heap gives the same text, and kinds may
 * contain anything. O(nodes and edges).
 *
 * Mermaid by itself refuses more than 500 edges and 50,000 characters: lower `maxNodes` if it does. A page takes long to lay out
 * more than a few thousand nodes.
 *
 * @example
 * ```ts
 * import { exportHeap, Heap } from 'tenure/gc';
 *
 * const heap = new Heap();
 * const list = heap.alloc({ kind: 'list' });
 * heap.link(list, list);
 * const [, node, edge] = exportHeap(heap, 'mermaid').split('\n');
 * node; // => '  n16["list<br/>n16 · 2 refs · root"]'
 * edge; // => '  n16 --> n16'
 * exportHeap(heap, 'html').startsWith('<!doctype html>'); // => true
 * ```
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown format, an unknown or malformed option, or
 * a focus that is no live node of the heap.
 */
export function exportHeap(
  heap: HeapExportSource,
  format: HeapExportFormat,
  options: HeapExportOptions = {},
): string {
  checkArgument('exportHeap', 'format', format, oneOf('dot', 'mermaid', 'json', 'html'));
  checkOptions<HeapExportOptions>('exportHeap', options, {
    focus: integer(0),
    radius: (value) => (value === Number.POSITIVE_INFINITY ? undefined : integer(0)(value)),
    maxNodes: integer(1),
    colours: oneOf('generation', 'tri-colour', 'none'),
  });
  const { focus, radius, maxNodes = 200, colours = 'generation' } = options;
  if (radius !== undefined && focus === undefined) {
    throw new InvalidArgumentError('exportHeap: `radius` needs a `focus` to be measured from.');
  }
  const snapshot = heap.snapshot();
  if (focus !== undefined && !snapshot.nodes.some(({ handle }) => handle === focus)) {
    throw new InvalidArgumentError('exportHeap: `focus` must be a live node of the heap.');
  }
  const cut = { focus, radius: radius ?? Number.POSITIVE_INFINITY, maxNodes, colours };
  return WRITERS[format](pictureOf(snapshot, cut));
}
