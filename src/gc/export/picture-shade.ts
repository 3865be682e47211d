/** How a node is filled in a picture: by its generation, or by how far an incremental collection has come with it. */
import type { NodeColour } from '../collector.js';
import type { SnapshotNode } from '../views/heap-snapshot.js';

/** What the fill of a node tells. */
export type PictureColours = 'generation' | 'tri-colour' | 'none';

/** One way to fill nodes. */
export interface Shade {
  /** Names it, in style sheets. */
  readonly key: string;
  /** What it tells. */
  readonly meaning: string;
  readonly fill: string;
  /** For what is written upon it. */
  readonly ink: string;
}

/** Fills that differ in lightness too, so that they can be told apart in grey; black can be read on all of them. */
const GENERATION_FILLS: Readonly<Record<`${SnapshotNode['generation']}`, string>> = {
  0: '#9bd3f5',
  1: '#f0b429',
  2: '#3cb489',
  permanent: '#b9b9b9',
  untracked: '#e39cc4',
};

const COLOUR_SHADES: Readonly<Record<NodeColour, Shade>> = {
  white: { key: 'white', meaning: 'white: not reached', fill: '#ffffff', ink: '#000' },
  grey: { key: 'grey', meaning: 'grey: reached', fill: '#a8a8a8', ink: '#000' },
  black: { key: 'black', meaning: 'black: reached, edges followed', fill: '#222222', ink: '#fff' },
};

/** The fill of a node; none where colours are not wanted, or there is no incremental collection under way. */
export function shadeOf(node: SnapshotNode, colours: PictureColours): Shade | undefined {
  if (colours === 'none') return undefined;
  if (colours === 'tri-colour') return node.colour && COLOUR_SHADES[node.colour];
  const { generation } = node;
  return {
    key: `gen-${generation}`,
    meaning: generationName(generation),
    fill: GENERATION_FILLS[generation],
    ink: '#000',
  };
}

/** The fills that these nodes have, each once, in a fixed order. */
export function shadesOf(nodes: readonly SnapshotNode[], colours: PictureColours): Shade[] {
  const shades = new Map<string, Shade>();
  for (const node of nodes) {
    const shade = shadeOf(node, colours);
    if (shade !== undefined) shades.set(shade.key, shade);
  }
  return [...shades.values()].sort((one, other) => one.key.localeCompare(other.key));
}

/** What is said of a generation. */
export function generationName(generation: SnapshotNode['generation']): string {
  return typeof generation === 'number' ? `generation ${generation}` : generation;
}
