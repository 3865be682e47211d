/** How the connection of a client is ended, whatever its driver does. */
import { expect, onTestFinished, test, vi } from 'vitest';
import { endOrCut } from '../../src/integrations/client/end-or-cut.js';

const down = new Error('down');

test.each<[string, () => unknown, string]>([
  ['has ended', async () => {}, 'ended'],
  ['fails to end', () => Promise.reject(down), 'down'],
  [
    'cannot be told to end',
    () => {
      throw down;
    },
    'down',
  ],
  ['does not end in time', () => new Promise(() => {}), 'ended'],
])('a connection that %s is cut, and its pool waits no longer', async (_, end, outcome) => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const cut = vi.fn();
  const ending = endOrCut(end, cut).then(
    () => 'ended',
    (error: Error) => error.message,
  );
  await vi.advanceTimersByTimeAsync(1_100);
  expect(cut).toHaveBeenCalledOnce();
  expect(await ending).toBe(outcome);
});
