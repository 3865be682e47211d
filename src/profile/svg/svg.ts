/** Writes SVG as text. Names and values are escaped, so a label may hold any characters. */

/** Attributes of an element. Numbers are rounded to two decimals; `undefined` leaves an attribute out. */
export type SvgAttributes = Readonly<Record<string, string | number | undefined>>;

/** Text that is SVG already. */
export type SvgText = string & { readonly svg?: unique symbol };

/** Gives an element with its children. */
export function svgElement(
  name: string,
  attributes: SvgAttributes,
  ...children: readonly SvgText[]
): SvgText {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(
      ([key, value]) =>
        ` ${key}="${escapeXml(typeof value === 'number' ? round(value) : String(value))}"`,
    )
    .join('');
  return children.length === 0
    ? `<${name}${written}/>`
    : `<${name}${written}>${children.join('')}</${name}>`;
}

/** Gives a text that a reader sees. */
export function svgLabel(text: string, attributes: SvgAttributes): SvgText {
  return svgElement('text', attributes, escapeXml(text));
}

/** Gives a whole picture. It has its own colours for light and dark pages, and loads nothing. */
export function svgDocument(
  title: string,
  width: number,
  height: number,
  style: string,
  children: readonly SvgText[],
): string {
  return svgElement(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: 'img',
      'font-family': 'system-ui, sans-serif',
      'font-size': 12,
    },
    svgElement('title', {}, escapeXml(title)),
    svgElement('style', {}, escapeXml(style)),
    ...children,
  );
}

/** Gives a text with the characters escaped that XML reserves. Control characters, which XML forbids, become `\ufffd`. */
export function escapeXml(text: string): SvgText {
  return text
    .replace(FORBIDDEN, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** What XML 1.0 forbids: control characters except tab and line ends, lone surrogates, and two non-characters. */
const FORBIDDEN = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

function round(value: number): string {
  return String(Math.round(value * 100) / 100);
}
