/** Each request is answered by its own promise alone, although the functions for a promise serve one request after the other. */
import { expect, test } from 'vitest';
import { answerWith } from '../../../src/integrations/adoption/answer-with.js';
import type { PeerRequest } from '../../../src/integrations/adoption/peer-pool.js';
import { Gate } from '../../kit/gate.js';
import { settle } from '../../kit/settle.js';

function request(answers: unknown[], deliver = (answer: unknown) => void answers.push(answer)) {
  return {
    isAnswered: false,
    deliver,
    refuse: (error) => void answers.push(['refused', error]),
  } satisfies PeerRequest<unknown>;
}

test('promises that settle out of order answer their own requests', async () => {
  const answers: unknown[] = [];
  const promises = [0, 1, 2].map(() => new Gate<string>());
  for (const [index, { passed }] of promises.entries()) {
    answerWith(
      request([], (answer) => void answers.push([index, answer])),
      passed,
    );
  }
  promises[2]?.open('third');
  await settle();
  promises[0]?.open('first');
  await settle();
  promises[1]?.open('second');
  await settle();
  expect(answers).toEqual([
    [2, 'third'],
    [0, 'first'],
    [1, 'second'],
  ]);
});

test('a request that asks again within its answer gets an answer of its own', async () => {
  const answers: unknown[] = [];
  const inner = new Gate<string>();
  const outer = request(answers, (answer) => {
    answers.push(answer);
    answerWith(request(answers), inner.passed);
  });
  answerWith(outer, Promise.resolve('outer'));
  answerWith(request(answers), Promise.reject('no'));
  inner.open('inner');
  await settle();
  expect(answers).toEqual(['outer', ['refused', 'no'], 'inner']);
});

test('a promise of another make that answers twice does not answer a later request', async () => {
  const first: unknown[] = [];
  const second: unknown[] = [];
  let answerAgain = (): void => {};
  class HastyPromise extends Promise<string> {}
  const thenTwice = (fulfilled: (value: string) => void): void => {
    fulfilled('once');
    answerAgain = () => fulfilled('twice');
  };
  Object.defineProperty(HastyPromise.prototype, 'then', { value: thenTwice });
  answerWith(request(first), new HastyPromise(() => {}));
  const later = new Gate<string>();
  answerWith(request(second), later.passed);
  answerAgain();
  expect(second).toEqual([]);
  later.open('own');
  await settle();
  expect(second).toEqual(['own']);
});
