/** The diagnostics channel of lru-cache tells of a bounded cache as of any other. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { expect, test } from 'vitest';
import { memoize } from '../../src/memoize/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';

const CHANNEL = 'lru-cache:metrics';

interface LruEvent {
  readonly op: string;
  readonly key: unknown;
}

/** Calls `body`, and gives the events of lru-cache meanwhile. */
function eventsWhile(body: () => void): LruEvent[] {
  const events: LruEvent[] = [];
  const listener = (event: unknown): void => void events.push(event as LruEvent);
  subscribe(CHANNEL, listener);
  try {
    body();
  } finally {
    unsubscribe(CHANNEL, listener);
  }
  return events;
}

test('each set has an event of its own', () => {
  const cached = memoize((id: number) => ({ id }), { max: 10 });
  const sets = eventsWhile(() => {
    for (let id = 1; id <= 3; id++) cached(id);
  }).filter(({ op }) => op === 'set');
  const hasChannel = process.env['MODE'] !== 'lowest'; // lru-cache 11.0.0 has none.
  expect(sets.map(({ key }) => key)).toEqual(hasChannel ? [1, 2, 3] : []);
});

test('nothing that a subscriber was told of stays in memory after it has left', async () => {
  let result: WeakRef<object> | undefined;
  eventsWhile(() => {
    const cached = memoize((id: number) => ({ id }), { max: 10 });
    result = new WeakRef(cached(1));
  });
  await collectGarbage();
  expect(result?.deref()).toBeUndefined();
});
