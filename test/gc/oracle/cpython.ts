/** Runs heap programs on the objects and the collector of CPython 3.11. */
import type { HeapObservation, HeapProgram } from '../../../src/gc/index.js';
import { runOnPython } from '../../kit/python-oracle.js';

/** Returns what CPython 3.11 observes, one observation per program. Needs `python3.11` on the path. */
export function runOnCPython(programs: readonly HeapProgram[]): HeapObservation[] {
  return runOnPython('python3.11', new URL('oracle.py', import.meta.url), programs);
}
