/** How a node is filled in a picture: by its generation, or by how far an incremental collection has come with it. */
import type { NodeColour } from '../collector.js';
import type { SnapshotNode } from '../views/heap-snapshot.js';

/** What the fill of a node tells. */
export type PictureColours = 'generation' | 'tri-colour' | 'none';

/** One way to fill nodes. */
export interface NodeFill {
  /** Names it, in style sheets. */
  readonly key: string;
  /** What it tells. */
  readonly meaning: string;
  readonly colour: string;
  /** For what is written upon it. */
  readonly textColour: string;
}

/** Fills that differ in lightness too, so that they can be told apart in grey; black can be read on all of them. */
const GENERATION_FILLS: Readonly<Record<`${SnapshotNode['generation']}`, string>> = {
  0: '#9bd3f5',
  1: '#f0b429',
  2: '#3cb489',
  permanent: '#b9b9b9',
  untracked: '#e39cc4',
};

const COLOUR_FILLS: Readonly<Record<NodeColour, NodeFill>> = {
  white: { key: 'white', meaning: 'white: not reached', colour: '#ffffff', textColour: '#000' },
  grey: { key: 'grey', meaning: 'grey: reached', colour: '#a8a8a8', textColour: '#000' },
  black: {
    key: 'black',
    meaning: 'black: reached, edges followed',
    colour: '#222222',
    textColour: '#fff',
  },
};

/** The fill of a node; none where colours are not wanted, or there is no incremental collection under way. */
export function fillOf(node: SnapshotNode, colours: PictureColours): NodeFill | undefined {
  if (colours === 'none') return undefined;
  if (colours === 'tri-colour') return node.colour && COLOUR_FILLS[node.colour];
  const { generation } = node;
  return {
    key: `gen-${generation}`,
    meaning: generationName(generation),
    colour: GENERATION_FILLS[generation],
    textColour: '#000',
  };
}

/** The fills that these nodes have, each once, in a fixed order. */
export function fillsOf(nodes: readonly SnapshotNode[], colours: PictureColours): NodeFill[] {
  const fills = new Map<string, NodeFill>();
  for (const node of nodes) {
    const fill = fillOf(node, colours);
    if (fill !== undefined) fills.set(fill.key, fill);
  }
  return [...fills.values()].sort((one, other) => one.key.localeCompare(other.key));
}

/** What is said of a generation. */
export function generationName(generation: SnapshotNode['generation']): string {
  return typeof generation === 'number' ? `generation ${generation}` : generation;
}
