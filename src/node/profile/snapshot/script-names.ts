/**
 * Names of this process' scripts. A snapshot has the number of each script and not its file, and only a debugger is told both.
 * Enabling one in the process takes about 0.1 s, once per snapshot.
 */
import { runCommand } from '../inspector-command.js';
import type { ScriptNames } from './location-table.js';

/** Gives the file or URL of each script that V8 has loaded; empty where Node was built without an inspector. */
export async function scriptNames(): Promise<ScriptNames> {
  const names: Record<string, string> = {};
  try {
    const { Session } = await import('node:inspector');
    const session = new Session();
    session.connect();
    try {
      session.on('Debugger.scriptParsed', ({ params: { scriptId, url } }) => {
        if (url !== '') names[scriptId] = url;
      });
      runCommand(session, 'Debugger.enable'); // Reports the scripts before it answers.
      runCommand(session, 'Debugger.disable');
    } finally {
      session.disconnect();
    }
  } catch {
    // The snapshot is worth having without names.
  }
  return names;
}
