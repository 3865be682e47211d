/** Finds a planted leak in this process, with V8's own collector. `PROFILE_RUNS=50` repeats it. */
import { expect, test } from 'vitest';
import { profileMemory } from '../../src/profile/index.js';

const RUNS = Number(process.env['PROFILE_RUNS'] ?? 1);
const CALLS = 20;

test('finds 1 kB that each of 20 calls retains, and nothing in a clean function', {
  timeout: RUNS * 60_000,
}, async () => {
  const kept: string[][] = [];
  for (let run = 0; run < RUNS; run++) {
    const leaky = await profileMemory('leaky', async (profile) => {
      for (let call = 0; call < CALLS; call++) {
        kept.push(new Array(125).fill('order'));
        await profile.mark('kept');
      }
    });
    const clean = await profileMemory('clean', async (profile) => {
      for (let call = 0; call < CALLS; call++) {
        const lines = new Array(125).fill(call).map(String);
        expect(lines.join('').length).toBeGreaterThan(0);
        await profile.mark('joined');
      }
    });
    expect(
      leaky.report.leaks.map(({ label }) => label),
      `${leaky.report}`,
    ).toEqual(['kept']);
    expect(leaky.report.leaks[0]?.perCall?.median).toBeGreaterThan(900);
    expect(leaky.report.leaks[0]?.perCall?.median).toBeLessThan(1_200);
    expect(clean.report.leaks, `${clean.report}`).toEqual([]);
  }
  expect(kept).toHaveLength(RUNS * CALLS);
});
