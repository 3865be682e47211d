/** The protocol of the shared level, in each order of its steps, with and without each of its guards. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { memoize } from '../../src/memoize/index.js';
import { sharedCache } from '../../src/memoize/shared/index.js';
import { explore, statesAtEnd } from './protocol/explorer.js';
import { codeWithout, GUARDS } from './protocol/guards.js';
import { PROGRAMS } from './protocol/programs.js';

const PATIENCE = 600_000;

/** Programs with each kind of fault, whose states are few enough to be searched one by one. */
const SMALL = [
  'a load beside a clear',
  'a load beside a delete, in a store that leaves a request without an answer',
  'a delete and a call of one process, while a replica takes over',
  'the start of a process beside a delete, while the bus breaks',
  'a call after the message of a delete',
] as const satisfies readonly (keyof typeof PROGRAMS)[];

// Revisions contain the date. A run that a busy machine interrupts must go on as any other.
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

describe('an invalidated result is never served again', () => {
  test.each(Object.entries(PROGRAMS))(
    'in any order of the steps of: %s',
    async (_, program) => {
      const { runs, violation } = await explore(program({ memoize, sharedCache }));
      expect(violation).toBe(undefined);
      expect(runs).toBeGreaterThan(1);
    },
    PATIENCE,
  );

  test.each(Object.entries(GUARDS))(
    'needs this guard: %s',
    async (_, guard) => {
      const { violation } = await explore(PROGRAMS[guard.breaks](await codeWithout(guard)));
      expect(violation, 'the program ends well without the guard').toMatch(
        /got the old value|never/,
      );
    },
    PATIENCE,
  );
});

describe('the exploration leaves out no end', () => {
  test.each(SMALL)(
    'of: %s',
    async (name) => {
      const make = PROGRAMS[name]({ memoize, sharedCache });
      const reached = new Set<string>();
      await explore(async () => {
        const program = await make();
        program.end = async () => void reached.add(program.state());
        return program;
      });
      expect([...reached].sort()).toEqual([...(await statesAtEnd(make))].sort());
    },
    PATIENCE,
  );
});
