/** Threads of the host: a worker thread in Node, a web worker in a page. They never keep the process alive. */
import { builtinModule } from './host.js';

/** A thread that runs one function for each message. */
export interface Thread {
  /** Sends a message to the thread. A SharedArrayBuffer in it is shared, not copied. */
  post(message: unknown): void;
  /** Ends the thread at once, even while it runs. */
  end(): void;
}

interface NodeWorker {
  postMessage(message: unknown): void;
  terminate(): Promise<number>;
  unref(): void;
  on(event: 'error', listener: () => void): void;
}

interface WebWorker {
  postMessage(message: unknown): void;
  terminate(): void;
  addEventListener(event: 'error', listener: (event: { preventDefault(): void }) => void): void;
}

interface ThreadGlobals {
  Worker?: new (url: string) => WebWorker;
  Blob?: new (parts: string[], options: { type: string }) => unknown;
  URL?: { createObjectURL(blob: unknown): string; revokeObjectURL(url: string): void };
  navigator?: { hardwareConcurrency?: number };
}

const globals = globalThis as ThreadGlobals;

/**
 * Starts a thread. `program` is the text of a function, called with each message. Gives `undefined` where the host has no
 * threads. `onFailure` is called if an error ends the thread.
 */
export function startThread(program: string, onFailure: () => void): Thread | undefined {
  try {
    return startNodeThread(program, onFailure) ?? startWebThread(program, onFailure);
  } catch {
    return undefined; // The host forbids it, by a permission or a content security policy.
  }
}

/** Gives how many threads can run at once, this one included. */
export function threadsAtOnce(): number {
  const os = builtinModule<{ availableParallelism?(): number }>('node:os');
  return os?.availableParallelism?.() ?? globals.navigator?.hardwareConcurrency ?? 1;
}

function startNodeThread(program: string, onFailure: () => void): Thread | undefined {
  const threads = builtinModule<{
    Worker: new (code: string, options: { eval: true; stdin: false }) => NodeWorker;
  }>('node:worker_threads');
  if (threads === undefined) return undefined;
  const code = `const run = ${program};
require('node:worker_threads').parentPort.on('message', run);`;
  const worker = new threads.Worker(code, { eval: true, stdin: false });
  worker.on('error', onFailure);
  worker.unref();
  return { post: (message) => worker.postMessage(message), end: () => void worker.terminate() };
}

function startWebThread(program: string, onFailure: () => void): Thread | undefined {
  const { Worker, Blob, URL } = globals;
  if (Worker === undefined || Blob === undefined || URL === undefined) return undefined;
  const code = `const run = ${program};
onmessage = ({ data }) => run(data);`;
  const url = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
  const worker = new Worker(url);
  worker.addEventListener('error', (event) => {
    event.preventDefault();
    onFailure();
  });
  URL.revokeObjectURL(url);
  return { post: (message) => worker.postMessage(message), end: () => worker.terminate() };
}
