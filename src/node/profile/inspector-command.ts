/**
 * Commands of V8's inspector to the thread that gives them. All are given in one session, which is never ended: at the end of a session
 * V8 numbers all objects anew, and two snapshots of the process could not be compared.
 */
import { Session } from 'node:inspector';

let connected: Session | undefined;

/** Gives the session of this thread. */
export function inspectorSession(): Session {
  if (connected === undefined) {
    const session = new Session();
    session.connect();
    connected = session;
  }
  return connected;
}

/** Runs a command, and gives its result. Throws the inspector's error. A session in the same thread answers before `post` returns. */
export function runCommand<R>(method: string, parameters: object = {}): R {
  let answer: { error: Error | null; result: unknown } | undefined;
  inspectorSession().post(method, parameters, (error, result?: unknown) => {
    answer = { error, result };
  });
  if (answer === undefined) throw new Error(`The inspector has not answered ${method}.`);
  if (answer.error !== null) throw answer.error;
  return answer.result as R;
}
