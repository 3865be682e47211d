/** A promise that has resolved. Its `then` costs half as much as `queueMicrotask`, which makes an async resource for each call. */
export const SETTLED: Promise<void> = /* @__PURE__ */ Promise.resolve();
