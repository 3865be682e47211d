/** Runs a program under `--import tenure/register`, from the sources, in a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROJECT } from '../../kit/packed-package.js';

const FLAGS = ['tsx', 'tenure-register'] as const;

const URLS: Readonly<Record<(typeof FLAGS)[number], string>> = {
  tsx: import.meta.resolve('tsx'),
  'tenure-register': new URL('../../../src/node/register/index.ts', import.meta.url).href,
};

export interface Program extends Disposable {
  readonly process: ChildProcess;
  readonly folder: string;
  stderr(): string;
  /** Resolves when stderr contains `text`; rejects if the program ends without it. */
  says(text: string): Promise<void>;
  /** Resolves with the exit code, or the signal. */
  ended(): Promise<number | string | null>;
  /** Reads a JSON file that the program has written. */
  json(file: string): Record<string, unknown>;
}

export interface ProgramOptions {
  readonly tenure?: string;
  /** The text of `tenure.config.json`. */
  readonly config?: string;
  /** Whether it runs without the flag. */
  readonly isBare?: boolean;
  readonly file?: 'app.cjs' | 'app.mjs';
}

export function startProgram(source: string, options: ProgramOptions = {}): Program {
  const { tenure, config, isBare = false, file = 'app.cjs' } = options;
  const folder = mkdtempSync(join(tmpdir(), 'tenure-register-'));
  symlinkSync(join(PROJECT, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, file), source);
  if (config !== undefined) writeFileSync(join(folder, 'tenure.config.json'), config);
  const { TENURE: _given, ...inherited } = process.env;
  const flags = FLAGS.slice(0, isBare ? 1 : 2).flatMap((flag) => ['--import', URLS[flag]]);
  const child = spawn(process.execPath, [...flags, '--expose-gc', file], {
    cwd: folder,
    env: { ...inherited, ...(tenure === undefined ? {} : { TENURE: tenure }) },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  const looks = new Set<() => void>();
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    for (const look of looks) look();
  });
  const closed = once(child, 'close');
  return {
    process: child,
    folder,
    stderr: () => stderr,
    says: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (stderr.includes(text)) resolve();
        };
        looks.add(look);
        look();
        void closed.then(() => {
          look();
          reject(new Error(`it ended without "${text}":\n${stderr}`));
        });
      }),
    async ended() {
      await closed;
      return child.exitCode ?? child.signalCode;
    },
    json: (name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Record<string, unknown>,
    [Symbol.dispose]() {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A service over a pool of generic-pool: `/leak` loses a resource, and `/end` ends the process. */
export function service(atEnd: string, extra = ''): string {
  return `
const { createServer } = require('node:http');
const { createPool } = require('generic-pool');
const pool = createPool({ create: async () => ({}), destroy: async () => {} }, { max: 4 });
${extra}
const server = createServer(async (request, response) => {
  const resource = await pool.acquire();
  if (request.url !== '/leak') await pool.release(resource);
  response.end('done');
});
server.listen(0, '127.0.0.1', async () => {
  const get = async (path) => (await fetch(\`http://127.0.0.1:\${server.address().port}\${path}\`)).text();
  ${atEnd}
});
`;
}
