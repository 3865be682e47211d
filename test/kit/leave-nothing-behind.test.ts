import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

test('a test that leaves a timer, a handle or a rejection behind fails, another does not', () => {
  const { stdout } = spawnSync(
    process.execPath,
    [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--config',
      'test/kit/fixtures/vitest.config.ts',
      '--reporter=json',
    ],
    { cwd: PROJECT, encoding: 'utf8', timeout: 60_000 },
  );
  const { testResults } = JSON.parse(stdout) as {
    testResults: {
      assertionResults: { title: string; status: string; failureMessages: string[] }[];
    }[];
  };
  const outcomes = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .map(({ title, status, failureMessages }) => [
      title,
      status,
      failureMessages[0]?.match(/left [a-z ]+ behind/)?.[0],
    ]);
  expect(outcomes).toEqual([
    ['leaves a timer', 'failed', 'left timers or handles behind'],
    ['leaves a server', 'failed', 'left timers or handles behind'],
    ['leaves a rejection', 'failed', 'left unhandled rejections behind'],
    ['leaves nothing', 'passed', undefined],
  ]);
}, 60_000);
