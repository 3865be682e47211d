/** The fill of a node in a picture: by its generation, or by its colour in the current incremental collection. */
import type { NodeColour } from '../collector.js';
import type { SnapshotNode } from '../views/heap-snapshot.js';

/** Meaning of a node's fill. */
export type PictureColourBy = 'generation' | 'tri-colour' | 'none';

/** Fill of nodes with one meaning. */
export interface NodeFill {
  /** Name of the fill in style sheets. */
  readonly key: string;
  /** Text of the legend. */
  readonly meaning: string;
  readonly colour: string;
  /** Colour of text on the fill. */
  readonly textColour: string;
}

/**
 * Colours of different lightness, so that they can be told apart in greyscale. Black text can be read on all of them.
 */
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

/** Returns the fill of a node, or `undefined` without colours, or without a current incremental collection. */
export function fillOf(node: SnapshotNode, colourBy: PictureColourBy): NodeFill | undefined {
  if (colourBy === 'none') return undefined;
  if (colourBy === 'tri-colour') return node.colour && COLOUR_FILLS[node.colour];
  const { generation } = node;
  return {
    key: `gen-${generation}`,
    meaning: generationName(generation),
    colour: GENERATION_FILLS[generation],
    textColour: '#000',
  };
}

/** Returns the fills of these nodes, each once, in a fixed order. */
export function fillsOf(nodes: readonly SnapshotNode[], colourBy: PictureColourBy): NodeFill[] {
  const fills = new Map<string, NodeFill>();
  for (const node of nodes) {
    const fill = fillOf(node, colourBy);
    if (fill !== undefined) fills.set(fill.key, fill);
  }
  return [...fills.values()].sort((one, other) => one.key.localeCompare(other.key));
}

/** Returns the text about a generation. */
export function generationName(generation: SnapshotNode['generation']): string {
  return typeof generation === 'number' ? `generation ${generation}` : generation;
}
