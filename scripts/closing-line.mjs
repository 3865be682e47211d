/** Prints the number of passed, failed and skipped tests in vitest's JSON reports. Fails if a test failed or a report has none. */
import { existsSync, readFileSync } from 'node:fs';

const total = { passed: 0, failed: 0, skipped: 0 };
for (const file of process.argv.slice(2)) {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const report = text === '' ? {} : JSON.parse(text);
  total.passed += report.numPassedTests ?? 0;
  total.failed += report.numFailedTests ?? 0;
  total.skipped += report.numPendingTests ?? 0;
  if (!(report.numPassedTests > 0)) process.exitCode = 1;
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
if (total.failed > 0) process.exitCode = 1;
