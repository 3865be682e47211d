/** The protocol of the shared level, in each order of its steps, with and without each of its guards. */
import { describe, expect, test } from 'vitest';
import { memoize } from '../../src/memoize/index.js';
import { sharedCache } from '../../src/memoize/shared/index.js';
import { explore } from './protocol/explorer.js';
import { codeWithout, GUARDS } from './protocol/guards.js';
import { PROGRAMS } from './protocol/programs.js';

const PATIENCE = 600_000;

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
