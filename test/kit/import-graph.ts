/** Finds the imports of a source tree by the TypeScript compiler: types, re-exports and dynamic imports included. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative, sep } from 'node:path';
import ts from 'typescript';

/** Source texts by path. A path is relative to the root of the tree and uses `/`. */
export type SourceTree = ReadonlyMap<string, string>;

export interface Import {
  readonly from: string;
  /** A path within the tree, or the specifier of something outside. */
  readonly to: string;
  readonly line: number;
}

/** Reads all `.ts` files under a folder. */
export function readTree(root: string): SourceTree {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .sort();
  return new Map(
    files.map((file) => [file.split(sep).join('/'), readFileSync(join(root, file), 'utf8')]),
  );
}

export function importsOf(tree: SourceTree): Import[] {
  return [...tree].flatMap(([file, text]) => {
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
    const imports: Import[] = [];
    const visit = (node: ts.Node): void => {
      const specifier = specifierOf(node);
      if (specifier !== undefined) {
        const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
        imports.push({ from: file, to: resolve(file, specifier), line });
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
    return imports;
  });
}

/** Gives the names of the globals that a file uses. */
export function globalsUsed(text: string, globals: ReadonlySet<string>): string[] {
  const source = ts.createSourceFile('file.ts', text, ts.ScriptTarget.Latest, true);
  const used = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && globals.has(node.text) && isReference(node)) used.add(node.text);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return [...used];
}

/** Gives the statements of a file that are no re-exports. */
export function otherThanReExports(text: string): string[] {
  const source = ts.createSourceFile('index.ts', text, ts.ScriptTarget.Latest, true);
  return source.statements
    .filter((node) => !(ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined))
    .map((node) => node.getText(source));
}

/** Gives one circle of each strongly connected group, as the files on it. */
export function circlesOf(imports: readonly Import[]): string[][] {
  const targets = new Map<string, string[]>();
  for (const { from, to } of imports) {
    if (to.endsWith('.ts')) targets.set(from, [...(targets.get(from) ?? []), to]);
  }
  const circles = new Map<string, string[]>();
  const finished = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    const start = path.indexOf(file);
    if (start >= 0) {
      const circle = path.slice(start);
      circles.set([...circle].sort().join(), circle);
    }
    if (start >= 0 || finished.has(file)) return;
    path.push(file);
    for (const target of targets.get(file) ?? []) visit(target);
    path.pop();
    finished.add(file);
  };
  for (const file of targets.keys()) visit(file);
  return [...circles.values()];
}

function specifierOf(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
    return node.moduleSpecifier !== undefined && ts.isStringLiteral(node.moduleSpecifier)
      ? node.moduleSpecifier.text
      : undefined;
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    return ts.isStringLiteral(node.argument.literal) ? node.argument.literal.text : undefined;
  }
  if (ts.isCallExpression(node)) {
    const isImport =
      node.expression.kind === ts.SyntaxKind.ImportKeyword ||
      (ts.isIdentifier(node.expression) && node.expression.text === 'require');
    const [argument] = node.arguments;
    return isImport && argument !== undefined && ts.isStringLiteralLike(argument)
      ? argument.text
      : undefined;
  }
  return undefined;
}

function resolve(from: string, specifier: string): string {
  if (!specifier.startsWith('.')) return specifier;
  const path = normalize(join(dirname(from), specifier));
  return relative('.', path).split(sep).join('/').replace(/\.js$/, '.ts');
}

/** Whether a name refers to a value, and does not name a property or a declaration. */
function isReference(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isPropertySignature(parent) || ts.isPropertyAssignment(parent)) {
    return 'initializer' in parent && parent.initializer === node;
  }
  return !ts.isPropertyDeclaration(parent) && !ts.isMethodDeclaration(parent);
}
