/** Flags of `gc.setDebug`, with CPython's values. The option `onDebug` of the heap receives what they print. */

/** Prints statistics of each collection: the nodes before it, the result, the duration. */
export const DEBUG_STATS = 1;
/** Prints each node that is found to be collectable. */
export const DEBUG_COLLECTABLE = 2;
/** Prints each node that is found to be uncollectable. */
export const DEBUG_UNCOLLECTABLE = 4;
/** Moves unreachable nodes to `gc.garbage` instead of freeing them, so that a caller can inspect them. */
export const DEBUG_SAVEALL = 32;
/** Flags that CPython recommends for finding leaks: collectable, uncollectable and save-all. */
export const DEBUG_LEAK: number = DEBUG_COLLECTABLE | DEBUG_UNCOLLECTABLE | DEBUG_SAVEALL;
