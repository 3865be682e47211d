/** The guard around a predicate of the user. */
import { guardedCall } from './guarded-call.js';
import { refusePromise } from './refuse-promise.js';

/** Whether `ask` answers true. Never throws: an error, and a promise in place of the answer, is printed, and counts as false. */
export function guardedAnswer(where: string, ask: () => unknown): boolean {
  return (
    guardedCall(where, () => {
      const answer = ask();
      refusePromise(answer, 'It must answer true or false, got a promise, which counts as false.');
      return answer;
    }) === true
  );
}
