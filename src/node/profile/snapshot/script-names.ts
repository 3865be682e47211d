/**
 * Names of this process' scripts. A snapshot has the number of each script and not its file, and only a debugger is told both.
 * Enabling one in the process takes about 0.1 s, once per snapshot.
 */
import type { Debugger, InspectorNotification } from 'node:inspector';
import { inspectorSession, runCommand } from '../inspector-command.js';
import type { ScriptNames } from './location-table.js';

/** Gives the file or URL of each script that V8 has loaded; empty where the inspector is not allowed. */
export function scriptNames(): ScriptNames {
  const names: Record<string, string> = {};
  const parsed = ({
    params: { scriptId, url },
  }: InspectorNotification<Debugger.ScriptParsedEventDataType>): void => {
    if (url !== '') names[scriptId] = url;
  };
  try {
    const session = inspectorSession();
    session.on('Debugger.scriptParsed', parsed);
    try {
      runCommand('Debugger.enable'); // Reports the scripts before it answers.
      runCommand('Debugger.disable');
    } finally {
      session.off('Debugger.scriptParsed', parsed);
    }
  } catch {
    // The snapshot is worth having without names.
  }
  return names;
}
