/** Every eviction policy of the cache, each as the options that choose it. A test of all policies goes over this list. */
import { adaptive } from '../../src/memoize/adaptive/index.js';
import type { EvictionPolicy } from '../../src/memoize/index.js';
import { s3fifo } from '../../src/memoize/s3-fifo/index.js';

export interface PolicyCase {
  readonly what: string;
  readonly options: { readonly policy?: EvictionPolicy };
}

export const POLICIES: readonly PolicyCase[] = [
  { what: 'least recently used', options: {} },
  { what: 's3fifo()', options: { policy: s3fifo() } },
  { what: 'adaptive()', options: { policy: adaptive() } },
];
