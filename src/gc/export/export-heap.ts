/**
 * Exports a heap to look at, or for another program. This is a function, not a method of the heap. A method would add
 * the page to every program that uses a heap, including each program with a watchdog.
 */
import { InvalidArgumentError } from '../../core/errors.js';
import {
  checkArgument,
  checkOptions,
  countOrInfinity,
  integer,
  oneOf,
} from '../../core/options.js';
import type { Handle } from '../memory/handle.js';
import type { HeapSnapshot } from '../views/heap-snapshot.js';
import { exportDot } from './export-dot.js';
import { exportHtml } from './export-html.js';
import { exportJson } from './export-json.js';
import { exportMermaid } from './export-mermaid.js';
import { type HeapPicture, pictureOf } from './heap-picture.js';
import type { PictureColourBy } from './node-fill.js';

/** Language of an exported heap. */
export type HeapExportFormat = 'dot' | 'mermaid' | 'json' | 'html';

/** Part of the heap to export, and its looks. */
export interface HeapExportOptions {
  /**
   * Node in the middle of the picture. The export shows the nodes around it, along edges and against them.
   *
   * @default none: the export shows the roots and what they reach, then the other nodes
   */
  readonly focus?: Handle;
  /**
   * Maximum number of edges between the focus and a node. Needs a focus.
   *
   * @default Infinity
   */
  readonly radius?: number;
  /**
   * Maximum number of nodes to show. The export states how many are hidden.
   *
   * @default 200
   */
  readonly maxNodes?: number;
  /**
   * Meaning of a node's fill: its generation, or its colour in the current incremental collection.
   *
   * @default 'generation'
   */
  readonly colourBy?: PictureColourBy;
}

/** Source of an export: a {@link Heap}, or another object with a snapshot of one. */
export interface HeapExportSource {
  /** Returns the heap as plain data. */
  snapshot(): HeapSnapshot;
}

const WRITERS: Readonly<Record<HeapExportFormat, (picture: HeapPicture) => string>> = {
  dot: exportDot,
  mermaid: exportMermaid,
  json: exportJson,
  html: exportHtml,
};

/**
 * Writes the heap, or a part of it, in one of four formats: the language of Graphviz (`dot`), a Mermaid flowchart
 * (`mermaid`), `json`, or a page (`html`). The page draws the heap by itself and loads nothing. Equal heaps give equal
 * texts. Kinds may contain any characters. O(nodes and edges).
 *
 * By default, Mermaid refuses more than 500 edges or 50,000 characters; then lower `maxNodes`. A page takes long to lay
 * out more than a few thousand nodes.
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
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown format, an unknown or malformed
 * option, or a focus that is not a live node of the heap.
 */
export function exportHeap(
  heap: HeapExportSource,
  format: HeapExportFormat,
  options: HeapExportOptions = {},
): string {
  checkArgument('exportHeap', 'format', format, oneOf('dot', 'mermaid', 'json', 'html'));
  checkOptions<HeapExportOptions>('exportHeap', options, {
    focus: integer(0),
    radius: countOrInfinity(0),
    maxNodes: integer(1),
    colourBy: oneOf('generation', 'tri-colour', 'none'),
  });
  const { focus, radius, maxNodes = 200, colourBy = 'generation' } = options;
  if (radius !== undefined && focus === undefined) {
    throw new InvalidArgumentError('exportHeap: `radius` needs a `focus` to be measured from.');
  }
  const snapshot = heap.snapshot();
  if (focus !== undefined && !snapshot.nodes.some(({ handle }) => handle === focus)) {
    throw new InvalidArgumentError('exportHeap: `focus` must be a live node of the heap.');
  }
  const cut = { focus, radius: radius ?? Number.POSITIVE_INFINITY, maxNodes, colourBy };
  return WRITERS[format](pictureOf(snapshot, cut));
}
