/** A stretch of work with a name: a request, a job. It owns the loans that are taken within it. */
import type { LifetimeNode } from './lifetime-graph.js';

export interface ScopeRecord {
  /** Its name behind those of the scopes around it, joined by ` > `. */
  readonly path: string;
  /** Its node, held from outside while it runs; `null` once it has ended. */
  node: LifetimeNode | null;
}
