/** A folder that the test files of one run share. It is emptied before a further run in watch mode, and removed at the end. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    readonly runFolder: string;
  }
}

export default function setUp(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'tenure-run-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  project.provide('runFolder', folder);
  project.onTestsRerun(() => {
    remove();
    mkdirSync(folder);
  });
  return remove;
}
