/** Load over HTTP, as customers cause it, with its progress in the terminal. */
import autocannon from 'autocannon';
import { CUSTOMERS, ORDERS, PRODUCTS } from './database.js';

export interface LoadResult {
  readonly requestsPerSecond: number;
  readonly p50Millis: number;
  readonly p99Millis: number;
  /** The number of answers by status code. */
  readonly answers: Readonly<Record<string, number>>;
}

/** One request in this many asks for an order that does not exist, like a stale bookmark. */
const STALE_BOOKMARK_EVERY = 100;

/** How many requests come before the load: all kinds of them, a stale bookmark too. */
const WARM_UP = 10;

/** Sends a request of each kind, and then requests for `seconds` seconds, or until the signal aborts. */
export async function runLoad(
  url: string,
  seconds: number,
  signal: AbortSignal,
): Promise<LoadResult> {
  const answers: Record<string, number> = {};
  let asked = await warmUp(url, signal, answers);
  const stopProgress = showProgress(seconds, answers);
  try {
    const result = await new Promise<autocannon.Result>((resolve, reject) => {
      const run = autocannon(
        {
          url,
          connections: 20,
          duration: seconds,
          requests: [{ setupRequest: (request) => ({ ...request, path: pathOfRequest(asked++) }) }],
        },
        (error, done) => (error ? reject(error) : resolve(done)),
      );
      run.on('response', (_client, status) => {
        answers[status] = (answers[status] ?? 0) + 1;
      });
      signal.addEventListener('abort', () => run.stop(), { once: true });
      if (signal.aborted) run.stop();
    });
    if (result.errors > 0) answers['no answer'] = result.errors;
    return {
      requestsPerSecond: result.requests.average,
      p50Millis: result.latency.p50,
      p99Millis: result.latency.p99,
      answers,
    };
  } finally {
    stopProgress();
  }
}

/** Sends the first requests one after another, so that the load does not wait for connections and compilation. Gives their number. */
async function warmUp(
  url: string,
  signal: AbortSignal,
  answers: Record<string, number>,
): Promise<number> {
  for (let n = 0; n < WARM_UP; n++) {
    if (signal.aborted) return n;
    const { status, body } = await fetch(url + pathOfRequest(n), {
      headers: { connection: 'close' },
    });
    await body?.cancel();
    answers[status] = (answers[status] ?? 0) + 1;
  }
  return WARM_UP;
}

/** The sequence of requests, equal in each run: orders, products, customers, and some health checks. */
function pathOfRequest(n: number): string {
  const id = (n * 7919) % ORDERS;
  switch (n % 10) {
    case 0:
      return '/healthz';
    case 1:
    case 2:
    case 3:
      return `/products/${1 + (id % PRODUCTS)}`;
    case 4:
    case 5:
      return `/customers/${1 + (id % CUSTOMERS)}/orders`;
    default:
      return n % STALE_BOOKMARK_EVERY === 6 ? `/orders/${ORDERS + 1 + id}` : `/orders/${1 + id}`;
  }
}

/** Shows progress: one line that is updated on a terminal, and one line a second elsewhere. */
function showProgress(seconds: number, answers: Readonly<Record<string, number>>): () => void {
  const isTerminal = process.stdout.isTTY === true;
  let second = 0;
  const timer = setInterval(() => {
    second++;
    const text = `  ${second}/${seconds} s   ${describeAnswers(answers)}`;
    process.stdout.write(isTerminal ? `\r${text.padEnd(78)}` : `${text}\n`);
  }, 1_000);
  return () => {
    clearInterval(timer);
    if (isTerminal) process.stdout.write(`\r${' '.repeat(78)}\r`);
  };
}

export function describeAnswers(answers: Readonly<Record<string, number>>): string {
  return Object.entries(answers)
    .map(([status, count]) => `${status} ×${count.toLocaleString('en')}`)
    .join('   ');
}
