/** A connection that its holder keeps for minutes, beside many short loans: whether a watchdog suspects it. */
import { expect } from 'vitest';
import type { Clock } from '../../src/pool/index.js';
import type { Watchable } from '../../src/watchdog/index.js';
import { Watchdog } from '../../src/watchdog/index.js';
import { FakeClock } from '../kit/fake-clock.js';

/** A pool, and a connection of it that a holder keeps. */
export interface LongLoan<C> {
  readonly pool: Watchable & {
    use(work: () => void): Promise<unknown>;
    close(): Promise<void>;
  };
  /** Takes a connection. */
  take(): Promise<{ readonly client: C; give(): unknown }>;
}

/** What a holder does with its connection. */
export interface LongUse {
  /** Called each minute while the connection is in use. */
  goOn?(): unknown;
  /** Uses the connection no more, and keeps it. */
  stop(): unknown;
  /** Cleans up before the connection is given back. */
  end?(): unknown;
}

/** Expects that a connection is no suspect while its holder uses it, and is one when it is only kept. */
export async function expectNoSuspectInUse<C>(
  open: (options: { readonly clock: Clock }) => LongLoan<C>,
  use: (client: C) => Promise<LongUse>,
): Promise<void> {
  const clock = new FakeClock();
  using watchdog = new Watchdog({ clock });
  const { pool, take } = open({ clock });
  watchdog.watch(pool);
  const { client, give } = await take();
  const passMinutes = async (goOn: () => unknown): Promise<void> => {
    for (let minute = 0; minute < 3; minute++) {
      for (let i = 0; i < 1_500; i++) await watchdog.scope('job', () => pool.use(() => {}));
      await goOn();
      await clock.advance(60_000);
    }
  };
  const { goOn = () => {}, stop, end } = await use(client);
  await passMinutes(goOn);
  expect(await watchdog.check()).toEqual([]);
  await stop();
  await passMinutes(() => {});
  expect(await watchdog.check()).toMatchObject([{ rule: 'tenured', count: 1 }]);
  await end?.();
  await give();
  await pool.close();
}
