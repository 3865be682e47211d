/** What one load has to do with the shared level, from its look there to its landing. */
import type { ClusterLease } from '../cluster-lock.js';

/** The tokens that tell whether something was invalidated since they were read; '' where nothing ever was. */
export interface Generations {
  readonly key: string;
  readonly cache: string;
  /** Changes with every invalidation of tags, for those who do not know their tags yet. */
  readonly tags: string;
}

/** A load, as the shared level sees it. */
export class SharedLoad {
  /** Its key in the shared level. */
  readonly key: string;
  /** Which connection to the bus it began under. */
  readonly connection: number;
  /** As they were before the function ran; none if they could not be read, and then nothing is written. */
  generations: Generations | undefined = undefined;
  /** The right to load that it holds. */
  lease: ClusterLease | undefined = undefined;
  /** Its result came from the shared level. */
  found = false;

  constructor(key: string, connection: number) {
    this.key = key;
    this.connection = connection;
  }
}

/** The part of a load's context that the shared level fills in. */
export interface SharedLoadContext {
  /** The load as the shared level sees it. */
  shared: SharedLoad | undefined;
  /** How long the result stays fresh, in milliseconds. */
  ttl: number | undefined;
  /** The tags of the result. */
  tags: Iterable<string> | undefined;
}
