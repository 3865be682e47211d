/** Which part of the program holds an object, in two words: `OrderCache.#entries`. */
import type { SnapshotStep, V8Snapshot } from './snapshot/v8-snapshot.js';

/** Objects that hold for another object, and say nothing by themselves. */
const CONTAINERS = new Set([
  'Array',
  'Map',
  'Set',
  'Object',
  'WeakMap',
  'WeakRef',
  'FinalizationRegistry',
]);

/** Gives the nearest holder on the path to an object that a reader of the code knows. */
export function holderOf(snapshot: V8Snapshot, path: readonly SnapshotStep[]): string {
  for (let i = path.length - 1; i > 0; i--) {
    const { edge } = path[i] as SnapshotStep;
    const { node, kind } = path[i - 1] as SnapshotStep;
    if (edge?.type === 'context') return `variable ${edge.name}`;
    if (edge?.type !== 'property') continue;
    if (snapshot.typeOf(node) === 'object' && !CONTAINERS.has(kind)) return `${kind}.${edge.name}`;
  }
  return path.length === 0 ? 'weak references only' : 'the engine';
}
