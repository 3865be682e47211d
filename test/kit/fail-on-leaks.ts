/** Makes each test fail that leaves a loan out. Every test file loads it. */
import { expect } from 'vitest';

/** Files that make 100,000s of loans or caches. The stack of each would take a third of their time. */
const HEAVY = /(?:interleaving|model|conformance|long-queue|shared-protocol)\.test\.ts$/;

/** Files of what lends nothing. Importing the watchdog would take most of their time. */
const WITHOUT_LOANS = /test\/(?:core|docs|gc)\//;

const file = expect.getState().testPath ?? '';
if (!HEAVY.test(file) && !WITHOUT_LOANS.test(file)) {
  const { failOnLeaks } = await import('../../src/testing/vitest.js');
  failOnLeaks();
}
