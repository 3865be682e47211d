/** Rectangles with labels, as one SVG: the only shapes that flame graphs and treemaps have. */
import {
  escapeXml,
  type SvgText,
  svgDocument,
  svgElement,
  svgLabel,
} from '../../../profile/svg/svg.js';

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
const MIN_LABELLED = 3 * CHARACTER;
const HEADER = 24;

const STYLE =
  'text{font:11px monospace}rect{stroke:#fff;stroke-width:0.5}.title{fill:#1f2328}' +
  '@media(prefers-color-scheme:dark){.title{fill:#e6edf3}}';

/** Gives an SVG with a title line above the boxes. */
export function boxPicture(
  title: string,
  width: number,
  height: number,
  boxes: readonly Box[],
): string {
  return svgDocument(title, width, height + HEADER, STYLE, [
    svgLabel(title, { class: 'title', x: 4, y: 16 }),
    svgElement('g', { transform: `translate(0 ${HEADER})` }, ...boxes.map(boxElement)),
  ]);
}

function boxElement({ x, y, width, height, label, title, key }: Box): SvgText {
  const isLabelled = width >= MIN_LABELLED && height >= 12;
  return svgElement(
    'g',
    {},
    svgElement('title', {}, escapeXml(title)),
    svgElement('rect', { x, y, width, height, fill: colourOf(key) }),
    ...(isLabelled ? [svgLabel(cutTo(width, label), { x: x + 2, y: y + 12 })] : []),
  );
}

function cutTo(width: number, label: string): string {
  const room = Math.floor((width - 4) / CHARACTER);
  return label.length <= room ? label : `${label.slice(0, Math.max(0, room - 1))}…`;
}

/** Gives the same warm colour for the same key in every picture, so that two profiles can be compared. */
function colourOf(key: string): string {
  let hash = 0;
  for (let i = 0; i < key.length; i++) hash = (hash * 31 + key.charCodeAt(i)) % 9973;
  return `hsl(${10 + (hash % 50)} ${60 + (hash % 30)}% ${70 + (hash % 12)}%)`;
}
