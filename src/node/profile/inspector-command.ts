/** Commands of V8's inspector to the thread that gives them. */
import type { Session } from 'node:inspector';

/** Runs a command, and gives its result. Throws the inspector's error. A session in the same thread answers before `post` returns. */
export function runCommand<R>(session: Session, method: string, parameters: object = {}): R {
  let answer: { error: Error | null; result: unknown } | undefined;
  session.post(method, parameters, (error, result?: unknown) => {
    answer = { error, result };
  });
  if (answer === undefined) throw new Error(`The inspector has not answered ${method}.`);
  if (answer.error !== null) throw answer.error;
  return answer.result as R;
}
