/** Prints how many tests passed and failed, from vitest's JSON report, as one plain line. Fails if none ran. */
import { readFileSync } from 'node:fs';

const text = readFileSync(process.argv[2], 'utf8');
const {
  numPassedTests = 0,
  numFailedTests = 0,
  numPendingTests = 0,
} = text === '' ? {} : JSON.parse(text);
console.log(`${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped`);
if (numPassedTests === 0 || numFailedTests > 0) process.exitCode = 1;
