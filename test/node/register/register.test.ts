import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type ProgramOptions, service, startProgram } from './run-registered.js';

/** Runs a program to its end. */
async function run(source: string, options: ProgramOptions = {}) {
  const program = startProgram(source, options);
  const code = await program.ended();
  return {
    code,
    stderr: program.stderr(),
    json: (file: string) => program.json(file),
    [Symbol.dispose]: () => program[Symbol.dispose](),
  };
}

const LEAKY = service("await get('/ok'); await get('/leak'); process.exit(0);");
const HEALTHY = service("await get('/ok'); await get('/ok'); process.exit(0);");

/** Loads a version of tarn that is not known. */
const UNKNOWN_TARN = `
const { mkdirSync, writeFileSync } = require('node:fs');
mkdirSync('old/node_modules/tarn/dist', { recursive: true });
writeFileSync('old/node_modules/tarn/package.json', '{"name":"tarn","version":"9.0.0"}');
writeFileSync('old/node_modules/tarn/dist/Pool.js', 'exports.Pool = class { acquire() {} };');
require('./old/node_modules/tarn/dist/Pool.js');
`;

describe('what it does to a program without pools', () => {
  test.each([
    ['ends by itself', 'setTimeout(() => {}, 1);'],
    ['exits', 'process.exit(3);'],
  ])('nothing, if it %s: no output, and its own exit code', async (_how, source) => {
    using bare = await run(source, { isBare: true });
    using registered = await run(source);
    expect(registered.stderr).toBe('');
    expect(registered.code).toBe(bare.code);
  });

  test('no handle, no timer and no listener of the process', async () => {
    const source = `
      const kinds = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout');
      const events = ['exit', 'beforeExit', 'SIGUSR2', 'uncaughtException'].filter((event) => process.listenerCount(event) > 0);
      console.error(JSON.stringify([kinds, events]));`;
    using bare = await run(source, { isBare: true });
    using registered = await run(source);
    expect(registered.stderr).toBe(bare.stderr);
  });

  test('a service that answers requests is told at its end that no pool was found', async () => {
    const source = service("await get('/ok'); process.exit(0);").replace(
      "require('generic-pool')",
      '{ createPool: () => ({ acquire: async () => ({}), release() {} }) }',
    );
    using t = await run(source);
    expect(t.stderr).toContain(
      'no pool of generic-pool, mysql2, pg, sequelize-pool, tarn, tenure was found',
    );
    expect(t.stderr).toContain('Is the application bundled?');
  });

  test('a service that takes nothing from its pools is told so at its end', async () => {
    const source = service("await get('/ok'); process.exit(0);")
      .replace('const resource = await pool.acquire();', '')
      .replace("if (request.url !== '/leak') await pool.release(resource);", '');
    using t = await run(`${UNKNOWN_TARN}${source}`);
    const [used, missed, ...rest] = t.stderr.split('\n');
    expect(used).toMatch(
      /^tenure: no pool was used: the pools of generic-pool 3\.\d+\.\d+ are watched, and the application took nothing from them\./,
    );
    expect(missed).toMatch(/^not watched: tarn 9\.0\.0 \(.*\): this version is not known$/);
    expect(rest).toEqual(['']);
  });

  test('a service that has answered requests for 30 s without a pool is told while it runs', async () => {
    const source = service("await get('/ok');").replace(
      "require('generic-pool')",
      '{ createPool: () => ({ acquire: async () => ({}), release() {} }) }',
    );
    using program = startProgram(`performance.now = () => 30_001;${source}`);
    await program.says('Is the application bundled?');
  });

  test('TENURE=off switches everything off', async () => {
    using t = await run(LEAKY, { tenure: 'off' });
    expect(t.stderr).toBe('');
  });
});

describe('what it reports', () => {
  test('the leaking line and the request, at the end of the process, and the code stays 0', async () => {
    using t = await run(LEAKY, { tenure: 'graceMillis=0' });
    expect(t.stderr).toMatch(/orphaned {2}pool "generic-pool" {2}probable ×1/);
    expect(t.stderr).toContain('it was never released: GET /leak');
    expect(t.stderr).toMatch(/acquired at {2}app\.cjs:7:\d+/);
    expect(t.stderr).toContain('call `pool.release(resource)` in a `finally` block');
    expect(t.stderr).toContain('watched: pool "generic-pool" 1/4 out, 0 waiting; 2 loans so far');
    expect(t.code).toBe(0);
  });

  test('NO LEAKS for a healthy program', async () => {
    using t = await run(HEALTHY, { tenure: 'leaks=exit' });
    expect(t.stderr).toContain('tenure: NO LEAKS');
    expect(t.code).toBe(0);
  });

  test('a leak is told while the process runs, when its grace period is over', async () => {
    using program = startProgram(service("await get('/leak');"), { tenure: 'graceMillis=20' });
    await program.says('orphaned  pool "generic-pool"');
    program.process.kill('SIGUSR2');
    await program.says('watched: pool "generic-pool" 1/4 out');
  });

  test('a loan that is lost less than the grace period before an exit is told apart, and is not counted', async () => {
    using t = await run(LEAKY, { tenure: 'leaks=exit,graceMillis=60000' });
    expect(t.stderr).toContain('NO LEAK IS PROVEN');
    expect(t.stderr).not.toContain('NO LEAKS');
    expect(t.stderr).toMatch(/not counted: app\.cjs:7:\d+ ×1/);
    expect(t.code).toBe(0);
  });

  test('a process that ends by itself has no loan on its way back: each lost one counts', async () => {
    const source = service("await get('/leak'); server.close(); server.closeAllConnections();");
    using t = await run(source, { tenure: 'leaks=exit,graceMillis=60000' });
    expect(t.stderr).toContain('orphaned  pool "generic-pool"');
    expect(t.code).toBe(1);
  });

  test('an exhausted pool never reads NO LEAKS, although each of its holders is still at work', async () => {
    const hang = 'await new Promise(() => {});';
    const source = service(`for (let i = 0; i < 9; i++) void get('/ok');
      setInterval(() => { if (pool.pending >= 5) process.exit(0); }, 5);`).replace(
      "if (request.url !== '/leak')",
      `${hang} if (request.url !== '/leak')`,
    );
    using t = await run(source);
    expect(t.stderr).not.toContain('NO LEAKS');
    expect(t.stderr).toContain('A POOL IS EXHAUSTED');
    expect(t.stderr).toContain('exhausted: pool "generic-pool" 4/4 out, 5 waiting');
  });

  test('a busy service has a sample of its requests watched, and all as soon as a loan stays out', async () => {
    const source = service(`
      const many = async (count) => {
        for (let i = 0; i < count; i += 50) {
          await Promise.all(Array.from({ length: 50 }, () => get('/ok')));
        }
      };
      await many(4_000);
      const held = await pool.acquire(); // Of no request, and out for long.
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      await many(2_000);
      await get('/leak');
      await pool.release(held);
      process.exit(0);`);
    using t = await run(source, { tenure: 'graceMillis=0,json=report.json' });
    expect(t.stderr).toContain('it was never released: GET /leak');
    expect(t.stderr).toMatch(/requests: \d+ of 6001 had a scope/);
    const { requests } = t.json('report.json') as { requests: { watched: number } };
    expect(requests.watched).toBeGreaterThanOrEqual(4_001); // The first 2,000, and those after the wait.
    expect(requests.watched).toBeLessThan(6_001);
  });

  test('leaks=exit ends with the code 1, and keeps a code of the application', async () => {
    using t = await run(LEAKY, { tenure: 'leaks=exit,graceMillis=0' });
    expect(t.code).toBe(1);
    using own = await run(LEAKY.replace('exit(0)', 'exit(7)'), {
      tenure: 'leaks=exit,graceMillis=0',
    });
    expect(own.code).toBe(7);
  });

  test.each([
    [
      'stderr',
      /NO LEAK AFTER ALL {2}the loans of pool "generic-pool" that were reported of app\.cjs:7:\d+ in GET \/late have come back \(sig [\da-f]{8}\)\n/,
    ],
    [
      'log',
      /"tenure":"retracted","pool":"generic-pool","line":"app\.cjs:7:\d+","scope":"GET \/late","count":0/,
    ],
  ])(
    'leaks=%s: the loans that were reported and have all come back are told',
    async (leaks, text) => {
      const source = service("await get('/late'); await get('/late');").replace(
        /if .*;/,
        "process.once('SIGHUP', () => pool.release(resource));",
      );
      using program = startProgram(source, { tenure: `leaks=${leaks},graceMillis=20` });
      await program.says('orphaned');
      expect(program.stderr()).not.toMatch(text);
      program.process.kill('SIGHUP');
      await program.says(leaks === 'log' ? '"retracted"' : 'come back (sig');
      expect(program.stderr().split(text)).toHaveLength(2);
    },
  );

  test('a loan outside of a request, which is not known to be lost, is told with its line', async () => {
    const source = service(
      "await get('/ok'); const take = () => pool.acquire(); take(); take(); setTimeout(() => process.exit(0), 1);",
    );
    using t = await run(source);
    expect(t.stderr).toMatch(/not known to be lost: 2 loans, taken at app\.cjs:13:\d+ ×2\n/);
  });

  test('leaks=log writes lines of JSON', async () => {
    using t = await run(LEAKY, { tenure: 'leaks=log,graceMillis=0' });
    const lines = t.stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines).toMatchObject([
      {
        tenure: 'leak',
        source: 'tenure',
        rule: 'orphaned',
        pool: 'generic-pool',
        scope: 'GET /leak',
        count: 1,
        ageMillis: expect.any(Number),
      },
      { tenure: 'report', leaks: [{ line: expect.stringMatching(/^app\.cjs:7:/) }], loans: 2 },
    ]);
  });

  test('json writes the whole report into a file', async () => {
    using t = await run(LEAKY, { tenure: 'json=leaks.json,graceMillis=0' });
    expect(t.json('leaks.json')).toMatchObject({
      version: 1,
      leaks: [{ rule: 'orphaned', scope: 'GET /leak', site: { file: 'app.cjs', line: 7 } }],
      missed: [],
      stillOut: 0,
    });
  });

  test('each worker of a cluster has a file of its own', async () => {
    using t = await run(
      `
      const cluster = require('node:cluster');
      const work = (path) => new Promise((ended) => cluster.fork({ ROUTE: path }).once('exit', ended));
      if (cluster.isPrimary) void work('/leak').then(() => work('/ok'));
      else {${service('await get(process.env.ROUTE); process.exit(0);')}}`,
      { tenure: 'json=leaks.json,graceMillis=0' },
    );
    expect(t.json('leaks.cluster-worker-1.json')).toMatchObject({
      leaks: [{ scope: 'GET /leak' }],
    });
    expect(t.json('leaks.cluster-worker-2.json')).toMatchObject({ leaks: [] });
    expect(t.stderr).toContain('tenure (cluster worker 1): LEAK LIKELY');
  });

  test('a service whose stderr nobody reads goes on', async () => {
    const source = service(
      "await get('/leak'); process.emit('SIGUSR2'); setImmediate(() => process.exit(7));",
    );
    using program = startProgram(source, { tenure: 'graceMillis=0' });
    program.process.stderr?.destroy();
    expect(await program.ended()).toBe(7);
  });

  test.each(['no/such/folder/leaks.json', 'app.cjs/leaks.json'])(
    'a file that cannot be written is told, and does no harm: %s',
    async (json) => {
      using t = await run(HEALTHY, { tenure: `json=${json}` });
      expect(t.stderr).toContain('the file of the option "json" cannot be written');
      expect(t.code).toBe(0);
    },
  );

  test('a folder in the place of the file is told, and gets no other file beside it', async () => {
    const source = `require('node:fs').mkdirSync('reports');${HEALTHY}`;
    using program = startProgram(source, { tenure: 'json=reports' });
    expect(await program.ended()).toBe(0);
    expect(program.stderr()).toContain('the file of the option "json" cannot be written');
    expect(readdirSync(program.folder).sort()).toEqual(['app.cjs', 'node_modules', 'reports']);
  });
});

describe('its options', () => {
  test('files are those of the folder that the process was started in', async () => {
    const config = JSON.stringify({ register: { graceMillis: 0, json: 'leaks.json' } });
    using t = await run(
      `process.chdir('/');${LEAKY.replace("require('generic-pool')", "require(__dirname + '/node_modules/generic-pool')")}`,
      { config },
    );
    expect(t.json('leaks.json')).toMatchObject({ leaks: [{ scope: 'GET /leak' }] });
  });

  test('the file tenure.config.json has them, and the environment wins', async () => {
    const config = JSON.stringify({ register: { leaks: 'log', graceMillis: 0, json: 'a.json' } });
    using t = await run(LEAKY, { config: `\uFEFF${config}`, tenure: 'json=b.json' });
    expect(t.stderr.startsWith('{')).toBe(true);
    expect(t.json('b.json')).toMatchObject({ leaks: [{ scope: 'GET /leak' }] });
    expect(() => t.json('a.json')).toThrow();
  });

  test.each([
    [
      'levle=simple',
      'TENURE: unknown option "levle". Known: level, leaks, scope, patch, graceMillis, json, signal.',
    ],
    ['level=loud', `TENURE: "level" must be one of 'off', `],
    ['graceMillis=soon', 'TENURE: "graceMillis" must be a number of milliseconds ≥ 0, got "soon".'],
    ['graceMillis=', 'TENURE: "graceMillis" must be a number of milliseconds ≥ 0'],
    [
      'patch=pg,oracle',
      `TENURE: "patch" must be an array of 'generic-pool', 'mysql2', 'pg', 'sequelize-pool', 'tarn'`,
    ],
    ['signal=9', `TENURE: "signal" must be the name of a signal`],
    ['signal=SIGKILL', 'no signal asks for a report'],
    ['everything', 'TENURE: "everything" is no option. Write name=value'],
  ])('TENURE=%s is told, and the program runs on with the default', async (tenure, complaint) => {
    using t = await run(HEALTHY, { tenure });
    expect(t.stderr).toContain(complaint);
    expect(t.stderr).toContain('NO LEAKS');
    expect(t.code).toBe(0);
  });

  test.each([
    ['{', 'tenure.config.json is no JSON'],
    ['{ "register": [] }', 'tenure.config.json: "register" must be an object.'],
    [
      '{ "leaks": "log" }',
      'tenure.config.json: unknown key "leaks". Options belong under "register".',
    ],
    ['{ "register": { "leaks": true } }', 'tenure.config.json: "leaks" must be one of'],
  ])('tenure.config.json with %s is told, and the program runs on', async (config, complaint) => {
    using t = await run(HEALTHY, { config });
    expect(t.stderr).toContain(complaint);
    expect(t.stderr).toContain('NO LEAKS');
  });

  test('patch=none watches no package, and scope=none opens no scope', async () => {
    using unpatched = await run(LEAKY, { tenure: 'patch=none' });
    expect(unpatched.stderr).not.toContain('watched:');
    expect(unpatched.stderr).toContain('no pool of tenure was found');
    using unscoped = await run(LEAKY, { tenure: 'scope=none,graceMillis=0' });
    expect(unscoped.stderr).toContain('still out, and not known to be lost: 1 loan');
  });
});

describe('how it leaves the program', () => {
  test.each([
    [
      'generic-pool',
      "const p = require('generic-pool').createPool({ create: async () => ({}), destroy: async () => {} }); p.drain().then(() => { p.acquire(); });",
    ],
    ['pg', "new (require('pg').Pool)({ host: '127.0.0.1', port: 1 }).connect();"],
    [
      'tarn',
      "new (require('tarn').Pool)({ create: () => Promise.reject(new Error('refused')), destroy() {}, min: 0, max: 1, propagateCreateError: true }).acquire().promise;",
    ],
    [
      'mysql2',
      "require('mysql2/promise').createPool({ host: '127.0.0.1', port: 1 }).getConnection();",
    ],
  ])('%s: a rejection that is forgotten ends the process as before', async (_name, source) => {
    using bare = await run(source, { isBare: true });
    using registered = await run(source);
    expect(registered.code).toBe(bare.code);
    expect(bare.code).toBe(1);
  });

  test.each([
    [
      'import-in-the-middle',
      'by the next turns',
      'await new Promise((turn) => setTimeout(turn, 10));',
    ],
    ['one that is not known', 'before the code that registers it has run', ''],
  ])('the loader of a tracing tool, %s: no package is loaded %s', async (loader, _when, wait) => {
    // A tool traces what is loaded after it has set itself up: require-in-the-middle sees no package that is in the cache.
    using t = await run(
      `import { createRequire, register } from 'node:module';
      register(${JSON.stringify(`data:text/javascript,//${loader.replaceAll(' ', '-')}`)});
      ${wait}
      const files = Object.keys(createRequire(import.meta.url).cache);
      console.error('loaded: ' + files.filter((file) => /pg-pool|mysql2|knex/.test(file)).length);`,
      { file: 'app.mjs' },
    );
    expect(t.stderr).toContain('loaded: 0');
  });

  test('two copies of the flag, and of the package, watch once', async () => {
    const again = `require('node:module').createRequire(__filename);
      import(${JSON.stringify(new URL('../../../src/node/register/registered.ts', import.meta.url).href)} + '?copy');`;
    using t = await run(service("await get('/leak'); process.exit(0);", again), {
      tenure: 'graceMillis=0',
    });
    expect(t.stderr.match(/watched: /g)).toHaveLength(1);
    expect(t.stderr).toContain('1 loan so far');
  });
});

describe('pools of tenure itself', () => {
  const src = (file: string): string =>
    JSON.stringify(new URL(`../../../src/${file}`, import.meta.url).href);
  const CREATED = `
    import { createPool } from ${src('pool/index.ts')};
    const pool = createPool({ create: () => ({}), destroy: () => {} }, { name: 'own-db' });`;
  const ADOPTED = `
    import genericPool from 'generic-pool';
    import { adoptPool } from ${src('integrations/generic-pool.ts')};
    const peer = genericPool.createPool({ create: async () => ({}), destroy: async () => {} });
    const pool = adoptPool(peer, { name: 'own-db' });`;
  const own = (watch: string, made = CREATED): string => `
    import { Watchdog } from ${src('watchdog/index.ts')};
    ${made}
    const watchdog = new Watchdog({ graceMillis: 0 });
    ${watch}
    const { registered } = await import(${src('node/register/index.ts')});
    const seen = registered();
    await (${watch === '' ? 'seen.watchdog' : 'watchdog'}).scope('job', () => pool.lease());
    console.error('own watchdog:', watchdog.stats().loans, 'registered:', seen.watchdog.stats().loans);
    process.exit(0);`;

  test('are watched as they are created', async () => {
    using t = await run(own(''), { tenure: 'graceMillis=0', file: 'app.mjs' });
    expect(t.stderr).toContain('own watchdog: 0 registered: 1');
    expect(t.stderr).toMatch(/orphaned {2}pool "own-db"/);
    expect(t.stderr).toContain('watched: pools of tenure: 1');
  });

  test('belong to the watchdog of the application as soon as it watches them', async () => {
    using t = await run(own('watchdog.watch(pool);'), { tenure: 'graceMillis=0', file: 'app.mjs' });
    expect(t.stderr).toContain('own watchdog: 1 registered: 0');
  });

  test('a lost lease of an adopted pool is told once', async () => {
    using t = await run(own('', ADOPTED), { tenure: 'graceMillis=0', file: 'app.mjs' });
    expect(t.stderr).toContain('own watchdog: 0 registered: 1');
    expect(t.stderr).toMatch(/orphaned {2}pool "own-db"/);
    expect(t.stderr).not.toContain('pool "generic-pool"');
  });

  test('a lease of an adopted pool belongs to the watchdog of the application that watches it', async () => {
    const source = own('watchdog.watch(pool);', ADOPTED);
    using t = await run(source, { tenure: 'graceMillis=0', file: 'app.mjs' });
    expect(t.stderr).toContain('own watchdog: 1 registered: 0');
  });
});

test('an unknown version is left alone and named in the report', async () => {
  using program = startProgram(`${UNKNOWN_TARN}${HEALTHY}`);
  await program.says('not watched: tarn 9.0.0 (');
  await program.says('this version is not known');
  writeFileSync(join(program.folder, 'done'), '');
  expect(await program.ended()).toBe(0);
});
