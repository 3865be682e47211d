/** The flags of `gc.setDebug`, with CPython's values. What they print goes to the heap's option `onDebug`. */

/** Tells of each collection: what there is before it, what it found, how long it took. */
export const DEBUG_STATS = 1;
/** Names each node that is found to be collectable. */
export const DEBUG_COLLECTABLE = 2;
/** Names each node that is found and cannot be collected. */
export const DEBUG_UNCOLLECTABLE = 4;
/** Moves what would be freed to `gc.garbage` instead, so that it can be looked at. */
export const DEBUG_SAVEALL = 32;
/** What CPython recommends for hunting leaks: collectable, uncollectable and save-all together. */
export const DEBUG_LEAK: number = DEBUG_COLLECTABLE | DEBUG_UNCOLLECTABLE | DEBUG_SAVEALL;
