import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, expect, test, vi } from 'vitest';
import { allExamples, asModule, countClaims, examplesOf } from './doc-examples.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const FOLDER = fileURLToPath(new URL('../../.doc-examples', import.meta.url));

const examples = allExamples().map((example, i) => ({
  ...example,
  file: `${FOLDER}/example-${i}.ts`,
}));

rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER);
for (const example of examples) writeFileSync(example.file, asModule(example));

afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

/** The compiler takes long on a busy machine, and so does V8's collector in a process that has loaded it. */
const PATIENCE = { timeout: 300_000 };

test.each(examples)('the claims of $at are true', PATIENCE, async ({ file, code }) => {
  const { default: run } = (await import(file)) as { default: () => Promise<void> };
  const print = vi.spyOn(console, 'log').mockImplementation(() => {});
  await run().finally(() => print.mockRestore());
  expect(expect.getState().assertionCalls, 'each claim was checked').toBe(countClaims(code));
});

const { entryPoints } = JSON.parse(readFileSync(`${ROOT}/typedoc.json`, 'utf8')) as {
  readonly entryPoints: readonly string[];
};

/** The modules of the public interface. */
const entries = entryPoints.map((entry) => `${ROOT}/${entry}`);

let compiled: ts.Program | undefined;

/** The examples and the public interface, compiled once, by the first test that asks. */
function compile(): ts.Program {
  const config = ts.getParsedCommandLineOfConfigFile(
    `${ROOT}/tsconfig.json`,
    { noUnusedLocals: false, noUnusedParameters: false },
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => {} },
  );
  compiled ??= ts.createProgram(
    [...examples.map(({ file }) => file), ...entries],
    config?.options ?? {},
  );
  return compiled;
}

/** What a module exports. */
function exportsOf(file: string): ts.Symbol[] {
  const program = compile();
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(program.getSourceFile(file) as ts.Node);
  return checker.getExportsOfModule(module as ts.Symbol);
}

test("every example compiles in a reader's project", PATIENCE, () => {
  const program = compile();
  const complaints = examples.flatMap(({ at, file }) => {
    const source = program.getSourceFile(file);
    return ts
      .getPreEmitDiagnostics(program, source)
      .map(({ messageText }) => `${at}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`);
  });
  expect(complaints).toEqual([]);
});

test('every public function and class has an example', PATIENCE, () => {
  const checker = compile().getTypeChecker();
  const lacking = exportsOf(`${ROOT}/src/index.ts`)
    .filter((symbol) => !symbol.declarations?.some(isTypeOnlyExport))
    .map((symbol) =>
      symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol,
    )
    .filter((symbol) => symbol.flags & (ts.SymbolFlags.Function | ts.SymbolFlags.Class))
    .filter((symbol) => !isErrorClass(symbol, checker))
    .filter((symbol) => !symbol.getJsDocTags(checker).some(({ name }) => name === 'example'))
    .map((symbol) => symbol.name);
  expect(lacking).toEqual([]);
});

test('the guides name each public option', PATIENCE, () => {
  const checker = compile().getTypeChecker();
  const options = entries
    .flatMap(exportsOf)
    .filter(({ name }) => name.endsWith('Options'))
    .flatMap((symbol) => {
      const members = checker.getDeclaredTypeOfSymbol(symbol).getProperties();
      return members.map((member) => `${symbol.name}.${member.name}`);
    });
  expect(options.length).toBeGreaterThan(100);
  const guides = ['guide', 'migrate', 'recipes'].flatMap((folder) =>
    readdirSync(`${ROOT}/docs/${folder}`).map((file) =>
      readFileSync(`${ROOT}/docs/${folder}/${file}`, 'utf8'),
    ),
  );
  const words = new Set(guides.join('\n').match(/\w+/g));
  const lacking = options.filter((option) => !words.has(option.split('.')[1] as string));
  expect([...new Set(lacking)]).toEqual([]);
});

function isTypeOnlyExport(node: ts.Declaration): boolean {
  return ts.isExportSpecifier(node) && (node.isTypeOnly || node.parent.parent.isTypeOnly);
}

function isErrorClass(symbol: ts.Symbol, checker: ts.TypeChecker): boolean {
  const type = checker.getDeclaredTypeOfSymbol(symbol);
  return type.getProperty('stack') !== undefined && type.getProperty('message') !== undefined;
}

test('there are examples, and they make claims', () => {
  expect(examples.length).toBeGreaterThan(30);
  const claims = examples.reduce((sum, { code }) => sum + countClaims(code), 0);
  expect(claims).toBeGreaterThan(60);
});

test('a claim becomes an assertion, at any place', () => {
  const text = [
    '/**',
    ' * ```ts',
    " * import { x } from 'tenure';",
    ' * f(() => {',
    ' *   x.y; // => [1]',
    ' * });',
    ' * await x.z(); // => { a: 1 }',
    ' * ```',
    ' */',
  ].join('\n');
  const [example] = examplesOf('src/a.ts', text);
  expect(example?.at).toBe('src/a.ts:2');
  const module = asModule(example as never);
  expect(module).toContain('expect(x.y).toEqual([1]);');
  expect(module).toContain('expect(await x.z()).toEqual({ a: 1 });');
  expect(countClaims(example?.code ?? '')).toBe(2);
});
