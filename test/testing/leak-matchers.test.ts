/** The setup of this project calls `failOnLeaks`, which adds the matcher. */
import { expect, test } from 'vitest';
import { createPool } from '../../src/pool/index.js';
import { leakMatchers } from '../../src/testing/index.js';
import { Watchdog } from '../../src/watchdog/index.js';

function setUp() {
  const watchdog = new Watchdog({ level: 'advanced' });
  const pool = createPool({ create: () => ({}), destroy: () => {} }, { name: 'db' });
  watchdog.watch(pool);
  return {
    watchdog,
    pool,
    async [Symbol.asyncDispose]() {
      await pool.close({ graceMillis: 0, force: true });
      watchdog[Symbol.dispose]();
    },
  };
}

test('a watchdog without leaks has none, and one that has finds one', async () => {
  await using t = setUp();
  await t.watchdog.scope('job', () => t.pool.use(() => {}));
  await expect(t.watchdog).toHaveNoLeaks();
  await expect(expect(t.watchdog).not.toHaveNoLeaks()).rejects.toThrow('it found none');
  await t.watchdog.scope('job', () => t.pool.lease());
  await expect(t.watchdog).not.toHaveNoLeaks({ graceMillis: 0 });
  await expect(expect(t.watchdog).toHaveNoLeaks({ graceMillis: 0 })).rejects.toThrow(
    /to find no leak.*orphaned {2}pool "db".*leak-matchers\.test\.ts/s,
  );
});

test('a loan that comes back within the grace period is no leak', async () => {
  await using t = setUp();
  const lease = await t.watchdog.scope('job', () => t.pool.lease());
  const passed = expect(t.watchdog).toHaveNoLeaks({ graceMillis: 10_000 });
  await lease.release();
  await passed;
});

test('what is no watchdog is refused, and so is a malformed option', async () => {
  await expect(leakMatchers.toHaveNoLeaks(17)).rejects.toMatchObject({
    code: 'TENURE_INVALID_ARGUMENT',
  });
  using watchdog = new Watchdog();
  await expect(
    leakMatchers.toHaveNoLeaks(watchdog, { settleMilis: 1 } as object),
  ).rejects.toMatchObject({ code: 'TENURE_INVALID_ARGUMENT' });
  for (const options of [AbortSignal.abort(), [], null]) {
    await expect(watchdog.assertNoLeaks(options as never)).rejects.toThrow(
      /must be a plain object/,
    );
    if (options === null) continue;
    await expect(leakMatchers.toHaveNoLeaks(watchdog, options as object)).rejects.toThrow(
      /must be a plain object/,
    );
  }
  const inherited = Object.create({ graceMillis: -1 });
  await expect(watchdog.assertNoLeaks(inherited)).rejects.toThrow(/`graceMillis`/);
  await expect(leakMatchers.toHaveNoLeaks(watchdog, inherited)).rejects.toThrow(/`graceMillis`/);
});
