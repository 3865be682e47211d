/**
 * A treemap: one box for each function, with an area in proportion to what it allocated itself. Boxes are as near to squares as
 * a row of them can be.
 *
 * Source: Mark Bruls, Kees Huizing and Jarke van Wijk, *Squarified Treemaps*, VisSym 2000.
 */
import { type Box, boxPicture } from './box-picture.js';

const WIDTH = 1200;
const HEIGHT = 600;

/** A box before it is placed. */
export interface TreemapItem {
  readonly bytes: number;
  readonly label: string;
  readonly title: string;
  readonly key: string;
}

/** Gives a treemap as SVG. `items` are sorted, the largest first. */
export function treemap(items: readonly TreemapItem[], title: string): string {
  const total = items.reduce((sum, { bytes }) => sum + bytes, 0);
  const areaOf = (item: TreemapItem): number => (item.bytes / total) * WIDTH * HEIGHT;
  const boxes: Box[] = [];
  let [x, y, width, height] = [0, 0, WIDTH, HEIGHT];
  for (let at = 0; at < items.length && total > 0; ) {
    const side = Math.min(width, height);
    const row: TreemapItem[] = [];
    let area = 0;
    let worst = Number.POSITIVE_INFINITY;
    for (; at < items.length; at++) {
      const item = items[at] as TreemapItem;
      const ratio = worstRatio([...row, item].map(areaOf), area + areaOf(item), side);
      if (ratio > worst) break;
      worst = ratio;
      row.push(item);
      area += areaOf(item);
    }
    const thickness = area / side;
    let along = 0;
    for (const item of row) {
      const length = areaOf(item) / thickness;
      const { label, title: boxTitle, key } = item;
      boxes.push(
        width >= height
          ? { x, y: y + along, width: thickness, height: length, label, title: boxTitle, key }
          : { x: x + along, y, width: length, height: thickness, label, title: boxTitle, key },
      );
      along += length;
    }
    if (width >= height) {
      x += thickness;
      width -= thickness;
    } else {
      y += thickness;
      height -= thickness;
    }
  }
  return boxPicture(title, WIDTH, HEIGHT, boxes);
}

/** Gives the worst ratio of the sides of boxes in a row along a side; 1 is a square. */
function worstRatio(areas: readonly number[], sum: number, side: number): number {
  const thickness = sum / side;
  return Math.max(
    ...areas.map((area) => {
      const length = area / thickness;
      return Math.max(length / thickness, thickness / length);
    }),
  );
}
