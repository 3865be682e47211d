/** The guards of the protocol: the code of each, what it becomes without the guard, and the program that then breaks the property. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import type { Code, PROGRAMS } from './programs.js';

/** A change of the code of one file. */
interface Edit {
  readonly file: string;
  readonly code: string;
  readonly without: string;
}

export interface Guard {
  readonly edits: readonly Edit[];
  readonly breaks: keyof typeof PROGRAMS;
}

/** Results that may be older than an announced invalidation count. */
const NO_DOUBT: Edit = {
  file: 'announcements.ts',
  code: 'return revisionTime(revision) < announced.arrivedAt + CLOCK_SKEW_MILLIS;',
  without: 'return revisionTime(revision) === CLOCK_SKEW_MILLIS;',
};

export const GUARDS: Readonly<Record<string, Guard>> = {
  'a missing token proves nothing': {
    edits: [
      {
        file: 'shared-results.ts',
        code: "return key !== '' && cache !== '' && tags !== '';",
        without: 'return true || key;',
      },
      { file: 'envelope.ts', code: 'value.length > 0 && value.length', without: 'value.length' },
    ],
    breaks: 'a load beside a delete, in a store that restarts empty',
  },
  'tokens that a load makes are read back before it begins': {
    edits: [
      {
        file: 'shared-results.ts',
        code: 'access.set(name, firstToken(), this.#tokenMillis, millis)',
        without: "access.set(name, 'made ' + name, this.#tokenMillis, millis)",
      },
      {
        file: 'common-tokens.ts',
        code: 'access.set(name, firstToken(), life, millis)',
        without: "access.set(name, 'made ' + name, life, millis)",
      },
      {
        file: 'shared-results.ts',
        code: 'const made = await budget.spend((millis) => access.get(names, millis));',
        without: "const made = names.map((name) => 'made ' + name);",
      },
    ],
    breaks: 'a load beside a delete, in a store that writes later than it says',
  },
  'a result is written only under the tokens from before its load': {
    edits: [
      {
        file: 'shared-results.ts',
        code: 'key: before.key,',
        without:
          "key: tokenIn(await access.getOne(names.inStore('key', load.key), timeoutMillis)),",
      },
    ],
    breaks: 'a load beside a delete',
  },
  'a result is read only under the present tokens': {
    edits: [
      {
        file: 'shared-results.ts',
        code: 'if (envelope?.key !== tokens.key || envelope.cache !== tokens.cache) return undefined;',
        without: 'if (envelope === undefined) return undefined;',
      },
    ],
    breaks: 'a load beside a clear',
  },
  'the token of all tags is compared before a write': {
    edits: [{ file: 'shared-results.ts', code: 'all !== before.tags || ', without: '' }],
    breaks: 'a load beside an invalidation of tags',
  },
  'the token of all tags is read after that of one tag': {
    edits: [
      {
        file: 'shared-results.ts',
        code: 'const tokens = tags.length === 0 ?',
        without:
          'const early = (await access.get(asked, timeoutMillis)).map(tokenIn); const tokens = tags.length === 0 ?',
      },
      {
        file: 'shared-results.ts',
        code: 'all] = present.slice(0, asked.length).map(tokenIn);',
        without: 'all] = early;',
      },
    ],
    breaks: 'a load beside an invalidation of tags, in a store that reads names one by one',
  },
  'the token of all tags is replaced before that of one tag': {
    edits: [
      {
        file: 'invalidation-outbox.ts',
        code: 'stored ??= this.#twice(() => this.#port.storeTagsToken());',
        without: 'stored ??= Promise.resolve();',
      },
    ],
    breaks: 'a load beside an invalidation of tags',
  },
  'the token of an invalidation is read back': {
    edits: [
      {
        file: 'shared-results.ts',
        code: 'return { isOwn: there === token, token: there };',
        without: 'return { isOwn: true, token: there };',
      },
    ],
    breaks: 'a load beside a delete',
  },
  'the store is not read while an invalidation of this process is pending': {
    edits: [
      {
        file: 'shared-loads.ts',
        code: 'if (pending === undefined) return true;',
        without: 'if (pending !== null) return true;',
      },
    ],
    breaks: 'a delete and a call of one process, without a fault',
  },
  'a load waits for the invalidation that takes the place of another one': {
    edits: [
      {
        file: 'shared-loads.ts',
        code: 'if (!(await this.#isAttempted(pending, budget))) return false;',
        without: 'return this.#isAttempted(pending, budget);',
      },
      { file: 'shared-results.ts', code: 'outbox.clears !== clears ||', without: '' },
    ],
    breaks: 'a delete, a call and a clear of one process',
  },
  'a result that was read before a clear does not count after it': {
    edits: [
      { file: 'shared-results.ts', code: 'outbox.clears !== clears ||', without: '' },
      {
        file: 'shared-results.ts',
        code: 'if (outbox.clears !== clears) return undefined;',
        without: '',
      },
    ],
    breaks: 'an invalidation of tags, a call and a clear of one process',
  },
  'an invalidation that is tried again has another token': {
    edits: [
      { file: 'invalidation.ts', code: 'this.#token = newToken();\n    this', without: 'this' },
    ],
    breaks: 'a load between the deletes of two processes',
  },
  'an announced invalidation counts before the store has it': {
    edits: [
      {
        file: 'announcements.ts',
        code: 'if (!announced.tokens.has(token)) return true;',
        without: 'if (!announced.tokens.has(token)) return false;',
      },
      NO_DOUBT,
    ],
    breaks: 'a call after the message of a delete',
  },
  'an announced tag counts before the store has it': {
    edits: [
      {
        file: 'shared-results.ts',
        code: "if (now !== token || announcements.contradict('tag', form, now)) return false;",
        without: 'if (now !== token) return false;',
      },
      NO_DOUBT,
    ],
    breaks: 'a call after the message of an invalidation of tags',
  },
  'a token that the store had confirmed counts for a minute': {
    edits: [
      {
        file: 'confirmed-invalidations.ts',
        code: "return token !== '' && now < confirmed.until;",
        without: 'return false;',
      },
    ],
    breaks: 'a delete and a call of one process, while a replica takes over',
  },
  'invalidations from before the bus broke are repeated': {
    edits: [
      {
        file: 'shared-level.ts',
        code: 'for (const { kind, what } of confirmed) this.#outbox.submit(kind, what);',
        without: '',
      },
    ],
    breaks: 'a delete and a call of one process, while a replica takes over',
  },
  'a load from before the bus broke is stale': {
    edits: [
      { file: 'shared-level.ts', code: 'load.connection !== this.#connection || ', without: '' },
    ],
    breaks: 'a load beside a delete, while the bus breaks',
  },
  'a process that was just connected keeps no result of the store': {
    edits: [
      { file: 'shared-level.ts', code: ' || (load.found && this.#isConnecting)', without: '' },
    ],
    breaks: 'the start of a process beside a delete',
  },
  'all entries are stale after the bus broke': {
    edits: [{ file: 'shared-level.ts', code: 'this.#local.markAllStale();', without: '' }],
    breaks: 'a load beside a delete, while the bus breaks',
  },
};

/** The code without a guard. */
export async function codeWithout({ edits }: Guard): Promise<Code> {
  const folder = await mkdtemp(join(tmpdir(), 'tenure-guards-'));
  try {
    const outfile = join(folder, 'without.mjs');
    const { outputFiles } = await build({
      stdin: {
        contents: `export { memoize } from './src/memoize/index.ts'; export { sharedCache } from './src/memoize/shared/index.ts';`,
        resolveDir: fileURLToPath(new URL('../../..', import.meta.url)),
      },
      bundle: true,
      format: 'esm',
      target: 'es2022',
      write: false,
      plugins: [
        {
          name: 'without a guard',
          setup({ onLoad }) {
            onLoad({ filter: /memoize\/shared\/.*\.ts$/ }, async ({ path }) => {
              let contents = await readFile(path, 'utf8');
              for (const { file, code, without } of edits) {
                if (basename(path) !== file) continue;
                if (contents.split(code).length !== 2)
                  throw new Error(`not once in ${file}: ${code}`);
                contents = contents.replace(code, () => without);
              }
              return { contents, loader: 'ts' };
            });
          },
        },
      ],
    });
    await writeFile(outfile, outputFiles[0]?.contents ?? '');
    return (await import(/* @vite-ignore */ pathToFileURL(outfile).href)) as Code;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
