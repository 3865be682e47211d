/** Rectangles with labels, as one SVG: the only shapes that flame graphs and treemaps have. */

import { escapeXml } from '../../../profile/svg/svg.js';

/** A rectangle of a picture, in pixels. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Text within the rectangle, cut to its width. */
  readonly label: string;
  /** Text that is shown when the pointer rests on the rectangle. */
  readonly title: string;
  /** Boxes of one key have one colour. */
  readonly key: string;
}

/** Width of a character of the labels, in pixels. */
const CHARACTER = 6.6;
/** Boxes narrower than this have no label. */
const LEAST_LABELLED = 3 * CHARACTER;
const HEADER = 24;

/** Gives an SVG with a title line above the boxes. */
export function svgOf(title: string, width: number, height: number, boxes: readonly Box[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height + HEADER}" viewBox="0 0 ${width} ${height + HEADER}" font-family="monospace" font-size="11">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    `<text x="4" y="16">${escapeXml(title)}</text>`,
    `<g transform="translate(0 ${HEADER})">`,
    ...boxes.map(boxElement),
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

function boxElement({ x, y, width, height, label, title, key }: Box): string {
  const room = Math.floor((width - 4) / CHARACTER);
  const text = label.length <= room ? label : `${label.slice(0, Math.max(0, room - 1))}…`;
  const labelled =
    width < LEAST_LABELLED || height < 12
      ? ''
      : `<text x="${fixed(x + 2)}" y="${fixed(y + 12)}">${escapeXml(text)}</text>`;
  return `<g><title>${escapeXml(title)}</title><rect x="${fixed(x)}" y="${fixed(y)}" width="${fixed(width)}" height="${fixed(height)}" fill="${colourOf(key)}" stroke="#fff" stroke-width="0.5"/>${labelled}</g>`;
}

/** Gives the same warm colour for the same key in every picture, so that two profiles can be compared. */
function colourOf(key: string): string {
  let hash = 0;
  for (let i = 0; i < key.length; i++) hash = (hash * 31 + key.charCodeAt(i)) % 9973;
  return `hsl(${10 + (hash % 50)} ${60 + (hash % 30)}% ${70 + (hash % 12)}%)`;
}

function fixed(pixels: number): string {
  return String(Math.round(pixels * 100) / 100);
}
