/**
 * The examples in the documentation: every `ts` block of the README, the guides and the doc comments. Each becomes a
 * module that checks the claims of the example. A statement `expression; // => value` asserts the value.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export interface DocExample {
  /** The file and the line of the example: `README.md:34`. */
  readonly at: string;
  readonly code: string;
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const BLOCK = /^([ \t]*(?:\* ?)?)```ts[ \t]*\n([\s\S]*?)^[ \t]*(?:\* ?)?```/gm;

const CLAIM = /\/\/ => (.+)$/;

export function allExamples(): DocExample[] {
  const guides = filesUnder('docs', '.md').filter((file) => !file.startsWith('docs/api/'));
  return ['README.md', ...guides, ...filesUnder('src', '.ts')].flatMap((file) =>
    examplesOf(file, readFileSync(`${ROOT}/${file}`, 'utf8')),
  );
}

/** The `ts` blocks of a text, without the stars of a surrounding comment. */
export function examplesOf(file: string, text: string): DocExample[] {
  return [...text.matchAll(BLOCK)].map((match) => {
    const [, , body = ''] = match;
    const line = text.slice(0, match.index).split('\n').length;
    const code = file.endsWith('.ts') ? body.replace(/^[ \t]*\* ?/gm, '') : body;
    return { at: `${file}:${line}`, code };
  });
}

/** A module that exports the example as an async function, with an assertion for each claim. */
export function asModule({ at, code }: DocExample): string {
  const source = ts.createSourceFile('example.ts', code, ts.ScriptTarget.Latest, true);
  const imports: string[] = [];
  const body: string[] = [];
  for (const statement of source.statements) {
    const text = statement.getText(source);
    if (ts.isImportDeclaration(statement)) imports.push(text);
    else body.push(withClaims(statement, source));
  }
  return [
    "import { expect } from 'vitest';",
    ...imports,
    `/** ${at} */`,
    'export default async function example(): Promise<void> {',
    ...body,
    '}',
    '',
  ].join('\n');
}

export function countClaims(code: string): number {
  return code.split('\n').filter((line) => CLAIM.test(line)).length;
}

/** A statement with an assertion in place of every claim, at any depth. */
function withClaims(statement: ts.Statement, source: ts.SourceFile): string {
  const edits: { start: number; end: number; text: string }[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isExpressionStatement(node)) {
      const claimed = claimAfter(node, source);
      if (claimed !== undefined) {
        const expression = node.expression.getText(source);
        edits.push({
          start: node.getStart(source),
          end: node.getEnd(),
          text: `expect(${expression}).toEqual(${claimed});`,
        });
        return;
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(statement);
  const start = statement.getStart(source);
  let text = statement.getText(source);
  for (const edit of edits.reverse()) {
    text = text.slice(0, edit.start - start) + edit.text + text.slice(edit.end - start);
  }
  return text;
}

function claimAfter(node: ts.Node, source: ts.SourceFile): string | undefined {
  const rest = source.text.slice(node.getEnd());
  const line = rest.slice(0, rest.indexOf('\n') < 0 ? rest.length : rest.indexOf('\n'));
  return CLAIM.exec(line)?.[1];
}

function filesUnder(folder: string, ending: string): string[] {
  return readdirSync(`${ROOT}/${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending))
    .map((file) => `${folder}/${file}`)
    .sort();
}
