/** An oracle: a script of Python that reads one program per line, and writes what it observes, one line per program. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Gives what the script observes, program by program. `command` runs the Python that is compared with. */
export function runOnPython<P, O>(command: string, script: URL, programs: readonly P[]): O[] {
  const { status, stdout, stderr, error } = spawnSync(command, [fileURLToPath(script)], {
    input: programs.map((program) => JSON.stringify(program)).join('\n'),
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
  });
  // A script that ends early closes its input: its own words say more than the broken pipe.
  if (stderr) throw new Error(`the oracle failed: ${stderr}`, { cause: error });
  if (error !== undefined) throw new Error(`${command} could not be started`, { cause: error });
  if (status !== 0) throw new Error(`the oracle ended with ${status}`);
  const lines = stdout.trim().split('\n');
  return lines.map((line) => JSON.parse(line) as O);
}
