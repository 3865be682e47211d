/** The generation of a node, as callers see it. */
import type { Generation } from './generation-lists.js';
import { GENERATION_0, OLDEST, PERMANENT } from './generation-lists.js';
import type { NodeStore } from './node-store.js';

/** Generation of a node; `untracked` while the node dies. */
export type NodeGeneration = Generation | 'permanent' | 'untracked';

/** Returns the generation of the node at `index`. */
export function generationOf(store: NodeStore, index: number): NodeGeneration {
  const list = store.lists.listOf[index] as number;
  if (list === PERMANENT) return 'permanent';
  return list >= GENERATION_0 && list <= OLDEST
    ? ((list - GENERATION_0) as Generation)
    : 'untracked';
}
