/** What public functions that take no options object do with a malformed argument: they throw a typed error that names it. */
import { expect, test } from 'vitest';
import { Heap, runHeapProgram } from '../src/gc/index.js';
import { cacheOf } from '../src/memoize/index.js';
import { parseMemorySamples, plotMemory } from '../src/profile/index.js';
import { memoryview } from '../src/view/index.js';
import { formatBaseline, formatReport, reportJson } from '../src/watchdog/index.js';

const MALFORMED = [undefined, null, 5, Symbol('s')];

/** A caller without types. */
type Untyped = (argument: unknown) => unknown;

test.each<[string, RegExp, Untyped]>([
  ['cacheOf', /`instance` must be an object/, (it) => cacheOf(it as Date, 'getTime')],
  ['heap.scope', /`body` must be a function/, (it) => new Heap().scope(it as () => void)],
  ['runHeapProgram', /`program` must be an object with/, runHeapProgram as Untyped],
  ['formatReport', /`reports` must be an array of reports/, formatReport as Untyped],
  ['formatBaseline', /`reports` must be an array of reports/, formatBaseline as Untyped],
  ['reportJson', /`reports` must be an array of reports/, reportJson as Untyped],
  ['plotMemory', /`samples` must be an array of readings/, plotMemory as Untyped],
  ['parseMemorySamples', /`text` must be a string/, parseMemorySamples as Untyped],
  ['MemoryView.cast', /`format` must be/, (it) => memoryview(new Uint8Array(4)).cast(it as never)],
])('%s names a malformed argument', (name, message, call) => {
  for (const argument of MALFORMED) {
    expect(() => call(argument)).toThrow(
      expect.objectContaining({
        code: 'TENURE_INVALID_ARGUMENT',
        message: expect.stringMatching(message),
      }),
    );
    expect(() => call(argument)).toThrow(name);
  }
});

test('the report of a check that was not awaited says so', () => {
  expect(() => formatReport(Promise.resolve([]) as never)).toThrow(/when it is awaited/);
});
