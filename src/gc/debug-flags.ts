/** The flags of `gc.setDebug`, with CPython's values. */

/** Prints statistics of each collection. Kept for its value: the heap's `stats` and events tell more. */
export const DEBUG_STATS = 1;
/** Names collectable nodes. Kept for its value. */
export const DEBUG_COLLECTABLE = 2;
/** Names uncollectable nodes. Kept for its value. */
export const DEBUG_UNCOLLECTABLE = 4;
/** Moves what would be freed to `gc.garbage` instead, so that it can be looked at. */
export const DEBUG_SAVEALL = 32;
/** What CPython recommends for hunting leaks: collectable, uncollectable and save-all together. */
export const DEBUG_LEAK: number = DEBUG_COLLECTABLE | DEBUG_UNCOLLECTABLE | DEBUG_SAVEALL;
