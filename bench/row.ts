/** The lines of the report: what tenure takes, what a peer takes, and whether a promise about the two is kept. */
import { figureOf, type Group, type Unit } from './compare.js';

/** A figure and what it was measured on. */
export interface Figure {
  readonly name: string;
  readonly value: number;
}

/**
 * How the result of a row comes about:
 * - `cost`: ours divided by the peer's, "1.2 times what the peer takes";
 * - `speed-up`: the peer's divided by ours, "7 times as fast as the peer";
 * - `gain`: ours minus the peer's, in percentage points;
 * - `excess`: ours minus the peer's, in the unit of both;
 * - `figure`: ours alone.
 */
export type Comparison = 'cost' | 'speed-up' | 'gain' | 'excess' | 'figure';

/** What the result of a row must not fall below, or must not exceed. */
export interface Bound {
  readonly kind: 'minimum' | 'maximum';
  readonly value: number;
  /** How far a result may miss the value by chance. @default 0 */
  readonly noise?: number;
}

/** One line of the report, as plain data. */
export interface Row {
  readonly measured: string;
  readonly unit: Unit;
  readonly ours: Figure;
  readonly peer?: Figure;
  readonly comparison: Comparison;
  readonly result: number;
  readonly promise?: Bound;
  /** Whether the promise is kept. Without a promise there is nothing to keep. */
  readonly kept?: boolean;
}

/** Contenders that were measured together, and the rows that they give. */
export interface Section {
  readonly group: Group;
  readonly rows: readonly Row[];
}

/** A row that promises at most this multiple of what the peer takes. */
export function atMost(multiple: number, group: Group, ours: string, peer: string): Row {
  return besides('cost', group, ours, peer, { kind: 'maximum', value: multiple });
}

/** A row that promises to take at most this much more than what the peer takes. */
export function atMostOver(limit: number, group: Group, ours: string, peer: string): Row {
  return besides('excess', group, ours, peer, { kind: 'maximum', value: limit });
}

/** Rows that promise nothing: how much more than what each peer takes. */
export function over(group: Group, ours: string, peers: readonly string[]): Row[] {
  return peers.map((peer) => besides('excess', group, ours, peer));
}

/** A row that promises to be at least this many times as fast as the peer. */
export function atLeast(times: number, group: Group, ours: string, peer: string): Row {
  return besides('speed-up', group, ours, peer, { kind: 'minimum', value: times });
}

/** Rows that promise nothing: how many times as fast as each peer. */
export function beside(group: Group, ours: string, peers: readonly string[]): Row[] {
  return peers.map((peer) => besides('speed-up', group, ours, peer));
}

/** Rows that promise nothing: as a multiple of what each peer takes. */
export function asMultipleOf(group: Group, ours: string, peers: readonly string[]): Row[] {
  return peers.map((peer) => besides('cost', group, ours, peer));
}

/** A row that promises at most this figure, whatever a peer takes. */
export function atMostFigure(limit: number, group: Group, ours: string): Row {
  const value = figureOf(group, ours);
  return judged({
    measured: group.title,
    unit: group.unit,
    ours: { name: ours, value },
    comparison: 'figure',
    result: value,
    promise: { kind: 'maximum', value: limit },
  });
}

/** A row that promises to gain at least this many percentage points over the peer. */
export function gains(
  points: number,
  noise: number,
  group: Group,
  ours: string,
  peer: string,
): Row {
  return besides('gain', group, ours, peer, { kind: 'minimum', value: points, noise });
}

/** Growth beyond the floor's that counts as flat. */
const FLAT = 1.25;

/** A row that promises to grow with size as the floor does, or less, or up to a quarter more. */
export function flat(group: Group, ours: string, floor: string): Row {
  return atMost(FLAT, group, ours, floor);
}

/** The name of the contender that takes least. */
export function fastest(group: Group, names: readonly string[]): string {
  return names.reduce((best, name) =>
    figureOf(group, name) < figureOf(group, best) ? name : best,
  );
}

function besides(
  comparison: Exclude<Comparison, 'figure'>,
  group: Group,
  ours: string,
  peer: string,
  promise?: Bound,
): Row {
  const [our, their] = [figureOf(group, ours), figureOf(group, peer)];
  const difference = our - their;
  const result = {
    cost: our / their,
    'speed-up': their / our,
    gain: difference,
    excess: difference,
  }[comparison];
  return judged({
    measured: group.title,
    unit: group.unit,
    ours: { name: ours, value: our },
    peer: { name: peer, value: their },
    comparison,
    result,
    ...(promise === undefined ? {} : { promise }),
  });
}

function judged(row: Row): Row {
  if (row.promise === undefined) return row;
  const { kind, value, noise = 0 } = row.promise;
  const kept = kind === 'minimum' ? row.result >= value - noise : row.result <= value + noise;
  return { ...row, kept };
}
