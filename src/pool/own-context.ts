/** Calls its argument in the async context that the pool was created in, whoever's request is being served. */
export type OwnContext = <R>(body: () => R) => R;
