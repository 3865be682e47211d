/** Makes each test fail that leaves a loan out. Every test file loads it. */
import { expect } from 'vitest';

/** Files that take 100,000s of loans. The stack of each loan would take a third of their time. */
const HEAVY = /(?:interleaving|model|conformance|long-queue)\.test\.ts$/;

if (!HEAVY.test(expect.getState().testPath ?? '')) {
  const { failOnLeaks } = await import('../../src/testing/vitest.js');
  failOnLeaks();
}
