/** A worker, as its parent controls it. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { CacheInfo } from '../../../src/memoize/index.js';

export interface WorkerOptions {
  readonly url: string;
  /** The address of Redis for the bus and the lock: through a network that can fail. By default it is `url`. */
  readonly busUrl?: string;
  /** The prefix of all names in Redis. */
  readonly space: string;
  readonly client: 'redis' | 'ioredis';
  readonly lockTtl: number;
  readonly ttl: number;
  /** Large by default, so that a busy machine is no failure of the store. */
  readonly storeTimeoutMillis?: number;
  /** The source of the function's results: Redis, or the process itself. */
  readonly truthFrom: 'redis' | 'process';
}

export interface Request {
  readonly number: number;
  readonly op: 'call' | 'delete' | 'info' | 'hammer' | 'rest';
  readonly id: string;
  readonly delay?: number;
  readonly times?: number;
}

export interface Reply {
  readonly number: number;
  readonly result?: unknown;
  readonly error?: string;
}

export interface WorkerInfo extends CacheInfo {
  /** How often the function ran. */
  readonly runs: number;
  /** How often `onError` was called. */
  readonly failures: number;
}

/** A process of the service. */
export class WorkerProcess implements AsyncDisposable {
  readonly options: WorkerOptions;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #count = 0;

  private constructor(options: WorkerOptions) {
    this.options = options;
    const file = fileURLToPath(new URL('worker.ts', import.meta.url));
    this.#child = fork(file, [JSON.stringify(options)], { execArgv: ['--import', 'tsx'] });
    this.#child.on('message', (reply: Reply) => {
      this.#waiting.get(reply.number)?.(reply);
      this.#waiting.delete(reply.number);
    });
  }

  static async start(options: WorkerOptions): Promise<WorkerProcess> {
    const worker = new WorkerProcess(options);
    await new Promise((ready, gone) => {
      worker.#waiting.set(0, ready);
      worker.#child.once('exit', (code) => gone(new Error(`the worker has exited with ${code}`)));
    });
    return worker;
  }

  /** Makes `times` concurrent calls, and gives their results. */
  call(id: string, options: { delay?: number; times?: number } = {}): Promise<string[]> {
    return this.#ask({ op: 'call', id, ...options }) as Promise<string[]>;
  }

  delete(id: string): Promise<unknown> {
    return this.#ask({ op: 'delete', id });
  }

  info(): Promise<WorkerInfo> {
    return this.#ask({ op: 'info', id: '' }) as Promise<WorkerInfo>;
  }

  /** Calls the function in a loop until `rest` is called. */
  hammer(): Promise<unknown> {
    return this.#ask({ op: 'hammer', id: '' });
  }

  rest(): Promise<{ calls: number; failed: number }> {
    return this.#ask({ op: 'rest', id: '' }) as Promise<{ calls: number; failed: number }>;
  }

  /** Stops the process where it is, as a suspended machine does. */
  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  /** Ends the process with kill -9. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async #ask(request: Omit<Request, 'number'>): Promise<unknown> {
    this.#count++;
    const number = this.#count;
    const reply = await new Promise<Reply>((resolve) => {
      this.#waiting.set(number, resolve);
      this.#child.send({ number, ...request } satisfies Request);
    });
    if (reply.error !== undefined) throw new Error(reply.error);
    return reply.result;
  }
}
