/**
 * A flame graph: one box for each stack, as wide as what was allocated in its innermost function and below. Callers are above
 * what they call. Source: Brendan Gregg, *The Flame Graph*, ACM Queue 14(2), 2016; upside down, as an "icicle".
 */

import { type Box, boxPicture } from './box-picture.js';
import { type CallNode, functionKey, functionLabel, samplesIn } from './call-tree.js';

const WIDTH = 1200;
const ROW = 17;
/** Narrower boxes, in pixels, are left out, and what they call with them. */
const MIN_WIDTH = 0.3;

/** Gives the flame graph of a profile as SVG. `amount` prints bytes with their relative error. */
export function flameGraph(
  root: CallNode,
  title: string,
  amount: (bytes: number, samples: number) => string,
): string {
  const boxes: Box[] = [];
  let depth = 0;
  const scale = root.totalBytes > 0 ? WIDTH / root.totalBytes : 0;
  const place = (nodes: readonly CallNode[], left: number, row: number): void => {
    let x = left;
    for (const node of nodes.toSorted((a, b) => b.totalBytes - a.totalBytes)) {
      const width = node.totalBytes * scale;
      if (width < MIN_WIDTH) break;
      depth = Math.max(depth, row + 1);
      boxes.push({
        x,
        y: row * ROW,
        width,
        height: ROW,
        label: node.of.name,
        title: `${functionLabel(node.of)}: ${amount(node.totalBytes, samplesIn(node))}`,
        key: functionKey(node.of),
      });
      place(node.children, x, row + 1);
      x += width;
    }
  };
  place(root.children, 0, 0);
  return boxPicture(title, WIDTH, Math.max(1, depth) * ROW, boxes);
}
