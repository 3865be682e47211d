import type { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { openWorkers, runTask } from '../../examples/clients/worker-pool.js';
import { until } from '../kit/until.js';

const SUM = new URL('./fixtures/sum-worker.mjs', import.meta.url);
const never = new AbortController().signal;

describe('a pool of worker threads', () => {
  test('runs as many tasks at once as there are threads, and keeps the threads', async () => {
    await using workers = openWorkers(SUM, 2);
    await workers.warmUp(2);
    const tasks = Array.from({ length: 20 }, (_, i) => runTask(workers, [i, 1], never));
    expect(await Promise.all(tasks)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    expect(workers.stats()).toMatchObject({ created: 2, borrowed: 0 });
  });

  test.each([
    ['throw', 'not a number'],
    ['exit', 'the thread ended with code 3'],
  ])(
    'a task that fails has its error, and the next one a new thread: %s',
    async (task, message) => {
      await using workers = openWorkers(SUM, 1);
      await expect(runTask(workers, task, never)).rejects.toThrow(message);
      expect(await runTask(workers, [1, 2], never)).toBe(3);
      expect(workers.stats()).toMatchObject({ created: 2, borrowed: 0 });
    },
  );

  test('a task that hangs ends by its signal, and with it its thread', async () => {
    await using workers = openWorkers(SUM, 1);
    const caller = new AbortController();
    const hanging = runTask(workers, 'hang', caller.signal);
    const next = runTask(workers, [1, 2], never);
    await until(() => workers.stats().borrowed === 1);
    caller.abort(new Error('the client has left'));
    await expect(hanging).rejects.toThrow('the client has left');
    expect(await next).toBe(3);
  });

  test('a thread that has ended while it was idle is replaced', async () => {
    await using workers = openWorkers(SUM, 1);
    const terminate = (worker: Worker) => worker.terminate();
    await workers.use(terminate);
    expect(await runTask(workers, [1, 2], never)).toBe(3);
  });
});
