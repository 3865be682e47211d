/**
 * Prints what CPython's debug flags print, in CPython's words, one line at a time. A handle stands in place of an
 * address.
 */
import type { CollectionResult } from '../collection-result.js';
import { DEBUG_COLLECTABLE, DEBUG_STATS, DEBUG_UNCOLLECTABLE } from '../debug-flags.js';
import type { HeapState } from '../heap-state.js';
import type { Generation } from '../memory/generation-lists.js';
import { GENERATION_0, OLDEST, PERMANENT } from '../memory/generation-lists.js';

export function printCollectionStart(state: HeapState, generation: Generation): void {
  if (!isOn(state, DEBUG_STATS)) return;
  const { lists } = state.store;
  const lengths = [GENERATION_0, GENERATION_0 + 1, OLDEST].map((list) => lists.length(list));
  state.print(`gc: collecting generation ${generation}...`);
  state.print(`gc: objects in each generation: ${lengths.join(' ')}`);
  state.print(`gc: objects in permanent generation: ${lists.length(PERMANENT)}`);
}

export function printCollectionStop(
  state: HeapState,
  { collected, uncollectable }: CollectionResult,
  millis: number,
): void {
  if (!isOn(state, DEBUG_STATS)) return;
  const seconds = (millis / 1_000).toFixed(4);
  state.print(
    `gc: done, ${collected + uncollectable} unreachable, ${uncollectable} uncollectable, ${seconds}s elapsed`,
  );
}

/** Prints the nodes of a list that the collection is about to delete. */
export function printCollectable(state: HeapState, list: number): void {
  if (isOn(state, DEBUG_COLLECTABLE)) printNodes(state, 'collectable', list);
}

/** Prints the nodes of a list that cannot be collected. */
export function printUncollectable(state: HeapState, list: number): void {
  if (isOn(state, DEBUG_UNCOLLECTABLE)) printNodes(state, 'uncollectable', list);
}

function printNodes(state: HeapState, what: string, list: number): void {
  const { store, kinds } = state;
  store.lists.visit(list, (index) => {
    const address = `0x${state.handles.of(index).toString(16)}`;
    state.print(`gc: ${what} <${kinds.name(store.kindId(index))} ${address}>`);
  });
}

function isOn(state: HeapState, flag: number): boolean {
  return (state.debug & flag) !== 0;
}
