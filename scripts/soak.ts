/**
 * `npm run soak`: a pool of real Postgres connections under load and under chaos, for 10 minutes; `-- --seconds N` for
 * another time, `-- --seed N` to repeat the choices of a run. It fails if a resource is lost, a connection has two holders, a caller
 * gets another caller's answer or hangs, memory grows, or a rejected promise has no handler. Beside it, shared caches run over a
 * Redis that refuses writes, freezes and restarts empty; it fails if one of them gives an invalidated value.
 */
import { parseArgs } from 'node:util';
import { startLocalPostgres } from '../examples/service/local-postgres.js';
import { TcpProxy } from '../test/kit/tcp-proxy.js';
import { runChaos } from './soak/chaos.js';
import { HeapWatch } from './soak/heap-watch.js';
import { Load, openSoakPool } from './soak/load.js';
import { Random } from './soak/random.js';
import { RefusingRedis } from './soak/refusing-redis.js';
import { type Finding, inspectEnd } from './soak/verdict.js';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '600' }, seed: { type: 'string' } },
});
const seconds = Number(values.seconds);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
if (!Number.isFinite(seconds) || seconds < 10 || !Number.isSafeInteger(seed)) {
  console.error('usage: npm run soak -- [--seconds N] [--seed N]   (N seconds ≥ 10)');
  process.exit(2);
}

const rejections: unknown[] = [];
process.on('unhandledRejection', (reason) => rejections.push(reason));

console.log(`soak       ${seconds} s, seed ${seed}`);
await using server = await startLocalPostgres({ max_connections: 20 });
await using proxy = await TcpProxy.to(server.port);
const random = new Random(seed);
const pool = openSoakPool(proxy.port);
const load = new Load(pool, random);
const heap = new HeapWatch(seconds);

const redis = new RefusingRedis(new Random(seed), seconds);

let incidents = '';
let ofRedis: readonly Finding[] = [];
load.start();
redis.start();
try {
  incidents = await runChaos({ server, proxy, pool, random, seconds }, (second) => {
    heap.at(second);
    if (second % 10 === 0) console.log(`  ${second}/${seconds} s   ${load.describe()}`);
  });
} finally {
  proxy.heal();
  await load.stop();
  ofRedis = await redis.stop();
}

const findings: Finding[] = [
  ...(await inspectEnd(pool, load, server)),
  ...heap.verdict(),
  ...ofRedis,
  {
    what: 'unhandled rejections',
    figure: String(rejections.length),
    isFine: rejections.length === 0,
  },
];
console.log(`incidents  ${incidents}`);
console.log(`operations ${load.describe()}`);
for (const { what, figure, isFine } of findings) {
  console.log(`${isFine ? 'fine' : 'FAILED'}       ${what}: ${figure}`);
}
for (const reason of rejections) console.error(reason);
if (findings.some(({ isFine }) => !isFine)) process.exitCode = 1;
