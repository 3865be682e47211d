/** Programs in which V8 decides how many objects of one kind live. */
import { memoize } from '../../../src/memoize/index.js';
import { SoftValueMap, WeakValueMap } from '../../../src/weak/index.js';
import { eachMinute, eachQuietMinute, MINUTE } from '../minutes.js';
import { isolated, type Program } from '../program.js';

export const weaklyHeld: readonly Program[] = [
  {
    name: 'the values of a weak map are kept elsewhere',
    finds: { rules: ['growth'] },
    async run(zoo) {
      const documents = zoo.watched(new WeakValueMap<string, object>({ name: 'documents' }));
      const kept: object[] = [];
      await eachMinute(zoo, 20, (minute) => {
        for (let i = 0; i < 50; i++) {
          const value = { i };
          kept.push(value);
          documents.set(`${minute}/${i}`, value); // LEAK: the values of a weak map are kept elsewhere
        }
      });
      await zoo.watchdog.check({ forceGc: true });
      if (kept.length === 0) throw new Error('nothing was kept');
      return kept;
    },
  },
  {
    name: 'the values of a weak map come and go',
    async run(zoo) {
      const documents = zoo.watched(new WeakValueMap<string, object>({ name: 'documents' }));
      await eachQuietMinute(zoo, 24, (minute) => {
        for (let i = 0; i < 200; i++) documents.set(`${minute}/${i}`, { i });
      });
    },
  },
  {
    name: 'the requests by which a cache is keyed are kept',
    finds: { rules: ['growth'] },
    async run(zoo) {
      const userOf = zoo.watched(
        memoize((request: { id: number }) => request.id, { name: 'userOf' }),
      );
      const kept: object[] = [];
      await eachMinute(zoo, 20, () => {
        for (let i = 0; i < 50; i++) {
          const request = { id: i };
          kept.push(request);
          userOf(request); // LEAK: the requests by which a cache is keyed are kept
        }
      });
      await zoo.watchdog.check({ forceGc: true });
      return kept;
    },
  },
  {
    name: 'a session is retained',
    finds: { rules: ['retained'], count: 1 },
    async run(zoo) {
      const sessions = new Map([[7, { user: 'x' }]]);
      const session = sessions.get(7) ?? {};
      zoo.watchdog.expectCollected(session, 'a session'); // LEAK: a session is retained
      await zoo.watchdog.check({ forceGc: true });
      return sessions;
    },
  },
  {
    name: 'a session dies',
    async run(zoo) {
      await isolated(async () => {
        zoo.watchdog.expectCollected({ user: 'x' }, 'a session');
      });
      await zoo.mustBeQuiet({ forceGc: true });
    },
  },
  {
    name: 'a fifth of the values of a weak map are kept elsewhere',
    finds: { rules: ['growth'] },
    async run(zoo) {
      const documents = zoo.watched(new WeakValueMap<string, object>({ name: 'documents' }));
      const kept: object[] = [];
      for (let minute = 0; minute < 40; minute++) {
        for (let i = 0; i < 50; i++) {
          const value = { i };
          if (i % 5 === 0) kept.push(value);
          documents.set(`${minute}/${i}`, value); // LEAK: a fifth of the values of a weak map are kept elsewhere
        }
        await zoo.age(MINUTE);
        if (minute % 4 === 3) await zoo.watchdog.check({ forceGc: true });
      }
      return kept;
    },
  },
  {
    name: 'a weak map has lasting values, and others that come and go',
    async run(zoo) {
      const documents = zoo.watched(new WeakValueMap<string, object>({ name: 'documents' }));
      const lasting = Array.from({ length: 200 }, (_, i) => ({ i }));
      for (const value of lasting) documents.set(`lasting/${value.i}`, value);
      await eachMinute(zoo, 30, async (minute) => {
        for (let i = 0; i < 300; i++) documents.set(`${minute}/${i}`, { i });
        await zoo.mustBeQuiet(minute % 10 === 9 ? { forceGc: true } : {});
      });
      return lasting;
    },
  },
  {
    name: 'a weak map has the sessions of the last five minutes',
    async run(zoo) {
      const sessions = zoo.watched(new WeakValueMap<string, object>({ name: 'sessions' }));
      let open: { until: number }[] = [];
      await eachMinute(zoo, 50, async (minute) => {
        for (let i = 0; i < 50; i++) {
          const session = { until: minute + 5 };
          sessions.set(`${minute}/${i}`, session);
          open.push(session);
        }
        open = open.filter(({ until }) => until > minute);
        await zoo.mustBeQuiet(minute % 7 === 6 ? { forceGc: true } : {});
      });
    },
  },
  {
    name: 'a cache is keyed by lasting objects, and by the request',
    async run(zoo) {
      const idOf = zoo.watched(memoize((key: { id: number }) => key.id, { name: 'idOf' }));
      const lasting = Array.from({ length: 150 }, (_, id) => ({ id }));
      await eachMinute(zoo, 30, async (minute) => {
        for (const key of lasting) idOf(key);
        for (let id = 0; id < 200; id++) idOf({ id });
        await zoo.mustBeQuiet(minute % 10 === 9 ? { forceGc: true } : {});
      });
      return lasting;
    },
  },
  {
    name: 'a soft map has more keys than it holds strongly',
    async run(zoo) {
      const pages = zoo.watched(
        new SoftValueMap<number, object>({ name: 'pages', maxStrong: 200 }),
      );
      await eachMinute(zoo, 30, async (minute) => {
        for (let i = 0; i < 100; i++) pages.set((minute * 37 + i) % 400, { i });
        await zoo.mustBeQuiet(minute % 10 === 9 ? { forceGc: true } : {});
      });
    },
  },
];
