/** A pool of worker threads, for work that would block the event loop. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { createPool, type Pool } from 'tenure/pool';

/** A pool of at most `max` threads that run `file`. */
export function openWorkers(file: URL, max: number): Pool<Worker> {
  const pool = createPool<Worker>(
    {
      async create({ signal }) {
        const worker = new Worker(file);
        worker.once('exit', () => pool.evict((it) => it === worker, 'broken'));
        worker.on('error', () => {}); // Its task hears of it. Without a listener, an error ends the process.
        try {
          await once(worker, 'online', { signal });
        } catch (error) {
          await worker.terminate();
          throw error;
        }
        worker.unref(); // An idle thread does not keep the process alive.
        return worker;
      },
      destroy: async (worker) => void (await worker.terminate()),
    },
    { name: 'workers', max, acquireTimeoutMillis: 10_000 },
  );
  return pool;
}

/**
 * Has a thread work on a task, and gives its answer. A task that fails, or whose signal aborts, ends its thread: no answer of it can reach
 * the next task.
 */
export function runTask(
  workers: Pool<Worker>,
  task: unknown,
  signal: AbortSignal,
): Promise<unknown> {
  return workers.use(
    async (worker, context) => {
      try {
        return await answerOf(worker, task, signal);
      } catch (error) {
        context.discard('the task failed');
        throw signal.aborted ? signal.reason : error;
      }
    },
    { signal },
  );
}

async function answerOf(worker: Worker, task: unknown, signal: AbortSignal): Promise<unknown> {
  const over = new AbortController();
  const stop = () => over.abort();
  signal.addEventListener('abort', stop);
  worker.ref();
  try {
    const answered = once(worker, 'message', over).then(([answer]) => answer);
    const exited = once(worker, 'exit', over).then(([code]) => {
      throw new Error(`the thread ended with code ${code}`);
    });
    worker.postMessage(task);
    return await Promise.race([answered, exited]);
  } finally {
    signal.removeEventListener('abort', stop);
    over.abort();
    worker.unref();
  }
}
