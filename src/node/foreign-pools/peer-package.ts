/** A package whose pools can be watched: where its class is, which versions are known, and which methods begin and end a loan. */

import type { KnownPools } from './known-pools.js';
import type { PatchedMethods, Prototype } from './patched-methods.js';

/** The names of the packages. */
export type PeerName = 'generic-pool' | 'mysql2' | 'pg' | 'sequelize-pool' | 'tarn';

/** A package whose pools can be watched. */
export interface PeerPackage {
  /** The name that its user knows. */
  readonly name: PeerName;
  /** The folder below `node_modules` that has the class. */
  readonly folder: string;
  /** Whether this package is known in a version, given as its major and minor number. */
  isKnown(major: number, minor: number): boolean;
  /** The file of the class, relative to the folder, as a regular expression without anchors. */
  readonly file: string;
  /** Methods that the class must have. A class without the first of them is another one, such as a subclass. */
  readonly methods: readonly [string, ...string[]];
  /** Finds the class in what the file exports. */
  classOf(exports: unknown): unknown;
  /** Replaces the methods that begin and end a loan. */
  patch(prototype: Prototype, methods: PatchedMethods, pools: KnownPools): void;
}
