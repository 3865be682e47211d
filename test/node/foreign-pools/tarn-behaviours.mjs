/**
 * What a pool of tarn does, as programs that note what they see. `tarn-suite.test.ts` runs them with and without the flag: the notes
 * have to be the same. tarn's own suite is not in its npm package.
 *
 * Each prints one line of JSON: its title, and what it has noted.
 */
import { Pool, TimeoutError } from 'tarn';

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Waits until a condition holds. */
async function until(holds) {
  while (!holds()) await turn();
}

/** The outcome of a promise, as text. */
const outcome = (promise) =>
  promise.then(
    (value) => `resolved ${JSON.stringify(value)}`,
    (error) => `${error instanceof TimeoutError ? 'TimeoutError' : 'rejected'} ${error.message}`,
  );

const EVENTS = [
  'acquireRequest',
  'acquireSuccess',
  'acquireFail',
  'release',
  'createRequest',
  'createSuccess',
  'createFail',
  'destroyRequest',
  'destroySuccess',
  'destroyFail',
  'startReaping',
  'stopReaping',
  'poolDestroyRequest',
  'poolDestroySuccess',
];

/** A pool whose calls and events are noted. */
function noted(note, options = {}) {
  let count = 0;
  const pool = new Pool({
    create: async () => ({ id: ++count }),
    destroy: async ({ id }) => note(`destroy ${id}`),
    min: 0,
    max: 2,
    ...options,
  });
  for (const event of EVENTS) {
    pool.on(event, (...args) => note(`${event} ${args.map(argument).join(' ')}`));
  }
  return pool;
}

const argument = (value) => (value instanceof Error ? value.message : JSON.stringify(value));

const figures = (pool) =>
  [
    pool.numUsed(),
    pool.numFree(),
    pool.numPendingAcquires(),
    pool.numPendingValidations(),
    pool.numPendingCreates(),
    pool.isEmpty(),
  ].join(' ');

/** Options that tarn refuses. */
const REFUSED = [
  {},
  { create: null },
  { destroy: null },
  { min: -1 },
  { min: 0.5 },
  { max: 0 },
  { min: 3, max: 2 },
  { acquireTimeoutMillis: 0 },
  { createTimeoutMillis: -1 },
  { destroyTimeoutMillis: 'x' },
  { idleTimeoutMillis: 0 },
  { reapIntervalMillis: Number.NaN },
  { createRetryIntervalMillis: 0 },
  { unknown: true },
];

const BEHAVIOURS = {
  async 'refuses malformed options'(note) {
    for (const wrong of REFUSED) {
      const base = { create() {}, destroy() {}, min: 0, max: 1 };
      try {
        new Pool(Object.keys(wrong).length === 0 ? undefined : { ...base, ...wrong });
        note('accepted');
      } catch (error) {
        note(error.message);
      }
    }
  },

  async 'creates on demand, up to max, and serves waiters in order'(note) {
    const pool = noted(note);
    const requests = [1, 2, 3, 4].map(() => pool.acquire());
    note(figures(pool));
    const [first, second] = await Promise.all([requests[0].promise, requests[1].promise]);
    note(figures(pool));
    note(pool.release(first));
    note((await requests[2].promise) === first);
    note(pool.release(second));
    note((await requests[3].promise) === second);
    pool.release(first);
    pool.release(second);
    note(figures(pool));
    await pool.destroy();
    note(figures(pool));
  },

  async 'hands out the resource that came back last'(note) {
    const pool = noted(note);
    const both = await Promise.all([pool.acquire().promise, pool.acquire().promise]);
    for (const resource of both) pool.release(resource);
    note(await pool.acquire().promise);
    pool.release(both[1]);
    await pool.destroy();
  },

  async 'tells a release of what is not lent'(note) {
    const pool = noted(note);
    const resource = await pool.acquire().promise;
    note(pool.release({ id: 99 }));
    note(pool.release(resource));
    note(pool.release(resource));
    note(figures(pool));
    await pool.destroy();
  },

  async 'takes a create with a callback, and one that gives a value'(note) {
    for (const create of [
      (done) => done(null, { id: 'callback' }),
      (done) => void setImmediate(done, null, { id: 'later' }),
      () => ({ id: 'value' }),
    ]) {
      const pool = noted(note, { create, destroy: () => {} });
      const resource = await pool.acquire().promise;
      note(resource);
      pool.release(resource);
      await pool.destroy();
    }
  },

  async 'rejects the first waiter if the error of a create is propagated'(note) {
    for (const create of [
      () => Promise.reject(new Error('refused')),
      () => {
        throw new Error('thrown');
      },
      (done) => done(new Error('called back')),
    ]) {
      const pool = noted(note, { create, propagateCreateError: true });
      note(await outcome(pool.acquire().promise));
      note(figures(pool));
      await pool.destroy();
    }
  },

  async 'tries a create again'(note) {
    let tries = 0;
    const create = async () => {
      if (++tries < 3) throw new Error(`try ${tries}`);
      return { id: tries };
    };
    const pool = noted(note, { create, createRetryIntervalMillis: 1 });
    const resource = await pool.acquire().promise;
    pool.release(resource);
    await pool.destroy();
  },

  async 'ends a request when its time is over, with the error of the create'(note) {
    const create = () => Promise.reject(new Error('refused'));
    const options = { create, acquireTimeoutMillis: 20, createRetryIntervalMillis: 1_000 };
    const pool = noted(note, options);
    note(await outcome(pool.acquire().promise));
    await pool.destroy();
  },

  async 'ends a request when its time is over, and serves the next one'(note) {
    const pool = noted(note, { max: 1, acquireTimeoutMillis: 20 });
    const held = await pool.acquire().promise;
    note(await outcome(pool.acquire().promise));
    note(figures(pool));
    pool.release(held);
    note((await pool.acquire().promise) === held);
    pool.release(held);
    await pool.destroy();
  },

  async 'destroys a resource that comes after the time of its create'(note) {
    let arrives;
    const create = () =>
      new Promise((resolve) => {
        arrives = resolve;
      });
    const pool = noted(note, { create, createTimeoutMillis: 5, propagateCreateError: true });
    note(await outcome(pool.acquire().promise));
    const late = arrives;
    late({ id: 'late' });
    await turn();
    await pool.destroy();
  },

  async 'aborts a request, and what aborts twice'(note) {
    const pool = noted(note, { max: 1 });
    const held = await pool.acquire().promise;
    const request = pool.acquire();
    note(request.isRejected);
    request.abort();
    note(await outcome(request.promise));
    request.abort();
    note(request.isRejected);
    pool.release(held);
    note(figures(pool));
    await pool.destroy();
  },

  async 'replaces a resource that is not valid'(note) {
    let isValid = true;
    const validate = async ({ id }) => id !== 1 || isValid;
    const pool = noted(note, { max: 1, validate });
    pool.release(await pool.acquire().promise);
    isValid = false;
    const next = await pool.acquire().promise;
    note(next);
    pool.release(next);
    await pool.destroy();
  },

  async 'takes a validate that throws for no'(note) {
    const validate = ({ id }) => {
      if (id === 1) throw new Error('not valid');
      return true;
    };
    const pool = noted(note, { max: 1, validate, log: (text) => note(text.split('\n')[0]) });
    const resource = await pool.acquire().promise;
    note(resource);
    pool.release(resource);
    await pool.destroy();
  },

  async 'keeps a resource whose request is aborted while it is validated'(note) {
    let decide;
    const validate = () =>
      new Promise((resolve) => {
        decide = resolve;
      });
    const pool = noted(note, { max: 1, validate });
    const request = pool.acquire();
    await until(() => decide !== undefined);
    note(figures(pool));
    request.abort();
    note(await outcome(request.promise));
    decide(true);
    await turn();
    note(figures(pool));
    await pool.destroy();
  },

  async 'destroys idle resources, down to min'(note) {
    const pool = noted(note, { min: 1, max: 3, idleTimeoutMillis: 1, reapIntervalMillis: 1_000 });
    const all = await Promise.all([1, 2, 3].map(() => pool.acquire().promise));
    for (const resource of all) pool.release(resource);
    const released = Date.now();
    await until(() => Date.now() > released + 2);
    pool.check();
    await turn();
    note(figures(pool));
    await pool.destroy();
  },

  async 'stops to reap when it is empty, and starts again'(note) {
    const pool = noted(note, { idleTimeoutMillis: 1, reapIntervalMillis: 1_000 });
    for (let i = 0; i < 2; i++) {
      pool.release(await pool.acquire().promise);
      const released = Date.now();
      await until(() => Date.now() > released + 2);
      pool.check();
      await turn();
    }
    await pool.destroy();
  },

  async 'waits for lent resources when it is destroyed, and refuses its waiters'(note) {
    const pool = noted(note, { max: 1 });
    const held = await pool.acquire().promise;
    const waiter = outcome(pool.acquire().promise);
    let isDone = false;
    const destroyed = pool.destroy().then(() => {
      isDone = true;
    });
    await turn();
    note(isDone);
    note(pool.release(held));
    await destroyed;
    note(await waiter);
    note(figures(pool));
  },

  async 'waits for creates when it is destroyed'(note) {
    let arrives;
    const create = () =>
      new Promise((resolve) => {
        arrives = resolve;
      });
    const pool = noted(note, { create });
    const request = outcome(pool.acquire().promise);
    const destroyed = pool.destroy();
    arrives({ id: 'late' });
    await destroyed;
    note(await request);
  },

  async 'lets requests wait after it was destroyed, until their time is over'(note) {
    const pool = noted(note, { acquireTimeoutMillis: 10 });
    await pool.destroy();
    note(await outcome(pool.acquire().promise));
  },

  async 'goes on if a destroy fails or hangs'(note) {
    for (const destroy of [
      () => Promise.reject(new Error('fails')),
      () => {
        throw new Error('throws');
      },
      () => new Promise(() => {}),
    ]) {
      const log = (text) => note(text.split('\n')[0]);
      const pool = noted(note, { destroy, destroyTimeoutMillis: 10, log });
      pool.release(await pool.acquire().promise);
      await pool.destroy();
      note(figures(pool));
    }
  },

  async 'goes on if a listener throws, and calls the others'(note) {
    const pool = noted(note, { log: (text) => note(text.split('\n')[0]) });
    for (const event of ['acquireRequest', 'acquireSuccess', 'release']) {
      pool.on(event, () => {
        throw new Error(`from ${event}`);
      });
      pool.on(event, () => note(`after ${event}`));
    }
    pool.release(await pool.acquire().promise);
    await pool.destroy();
  },

  async 'removes listeners'(note) {
    const pool = new Pool({ create: async () => ({}), destroy() {}, min: 0, max: 1 });
    const first = () => note('first');
    const second = () => note('second');
    pool.on('release', first);
    pool.on('release', second);
    pool.removeListener('release', first);
    pool.release(await pool.acquire().promise);
    pool.removeAllListeners('release');
    pool.release(await pool.acquire().promise);
    await pool.destroy();
  },

  async 'lends primitive values, and one object twice'(note) {
    const pool = noted(note, { create: (done) => done(null, 'text'), destroy() {} });
    const both = await Promise.all([pool.acquire().promise, pool.acquire().promise]);
    note(both);
    note(figures(pool));
    for (const resource of both) note(pool.release(resource));
    note(figures(pool));
    await pool.destroy();
  },

  async 'serves subclasses and their own methods'(note) {
    class Audited extends Pool {
      acquire() {
        note('acquire of the subclass');
        return super.acquire();
      }
      release(resource) {
        note('release of the subclass');
        return super.release(resource);
      }
    }
    const pool = new Audited({ create: async () => ({ id: 1 }), destroy() {}, min: 0, max: 1 });
    const resource = await pool.acquire().promise;
    note(resource);
    note(pool.release(resource));
    note(pool instanceof Pool);
    await pool.destroy();
  },

  async 'has methods of the same names and lengths'(note) {
    for (const name of Object.getOwnPropertyNames(Pool.prototype)) {
      const { value, enumerable } = Object.getOwnPropertyDescriptor(Pool.prototype, name);
      note(`${name} ${value.name} ${value.length} ${enumerable}`);
    }
  },

  async 'lets a rejection that the caller forgets be unhandled'(note) {
    const unhandled = new Promise((resolve) => process.once('unhandledRejection', resolve));
    const pool = noted(note, { max: 1, acquireTimeoutMillis: 5 });
    const held = await pool.acquire().promise;
    pool.acquire(); // Its promise is forgotten.
    note((await unhandled).message);
    pool.release(held);
    await pool.destroy();
  },

  async 'serves 500 callers at once, with no resource for two of them'(note) {
    const pool = new Pool({
      create: async () => ({ users: 0 }),
      destroy() {},
      min: 0,
      max: 7,
    });
    let most = 0;
    await Promise.all(
      Array.from({ length: 500 }, async () => {
        const resource = await pool.acquire().promise;
        most = Math.max(most, ++resource.users);
        await turn();
        resource.users--;
        pool.release(resource);
      }),
    );
    note(most);
    note(figures(pool));
    await pool.destroy();
  },
};

for (const [title, run] of Object.entries(BEHAVIOURS)) {
  const notes = [];
  let isOpen = true;
  await run((text) => {
    if (isOpen) notes.push(text);
  });
  isOpen = false;
  process.stdout.write(`${JSON.stringify({ title, notes })}\n`);
}
