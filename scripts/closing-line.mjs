/** Prints the number of passed, failed and skipped tests in vitest's JSON report. Fails if a test failed or none ran. */
import { readFileSync } from 'node:fs';

const text = readFileSync(process.argv[2], 'utf8');
const {
  numPassedTests = 0,
  numFailedTests = 0,
  numPendingTests = 0,
} = text === '' ? {} : JSON.parse(text);
console.log(`${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped`);
if (numPassedTests === 0 || numFailedTests > 0) process.exitCode = 1;
