/** Result of a collection. */
export interface CollectionResult {
  readonly collected: number;
  readonly uncollectable: number;
}

export const NOTHING_COLLECTED: CollectionResult = { collected: 0, uncollectable: 0 };
