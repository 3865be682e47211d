/**
 * `npm run bench`: runs every bench in a short form, prints one table, and writes docs/benchmarks.md.
 *
 *     npm run bench                          all benches
 *     npm run bench -- pool memoize/memory   only these: prints the table and writes nothing
 *     npm run bench -- --rounds 15           more rounds of each
 *     npm run bench -- --strict              exit code 1 if a promise is missed
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { BENCHES, type Bench, runBench } from './benches.js';
import { machineFacts, versionOf } from './machine.js';
import { asMarkdown, asText, missed, type ReportSection, withReport } from './report.js';
import type { Row } from './row.js';

const DOCUMENT = new URL('../docs/benchmarks.md', import.meta.url);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string' }, strict: { type: 'boolean', default: false } },
});

const chosen = BENCHES.filter(({ name }) => {
  return positionals.length === 0 || positionals.some((start) => name.startsWith(start));
});
if (chosen.length === 0) throw new Error(`no bench begins with ${positionals.join(' or ')}`);

const fixedRounds = values.rounds === undefined ? undefined : Number(values.rounds);
if (fixedRounds !== undefined && !(fixedRounds >= 1)) throw new Error('--rounds: a number from 1');

const facts = machineFacts();
const packages = new Set(['tenure']);
const sections = new Map<string, { title: string; rows: Row[]; skipped: string[] }>();
for (const bench of chosen) await run(bench);

const report: ReportSection[] = [...sections.values()];
console.log(`\n${asText(report)}`);
if (positionals.length === 0) {
  const markdown = [
    '## Figures',
    table([...facts, ...[...packages].map((name): [string, string] => [name, versionOf(name)])]),
    asMarkdown(report),
  ].join('\n\n');
  writeFileSync(DOCUMENT, withReport(readFileSync(DOCUMENT, 'utf8'), markdown));
  console.log('docs/benchmarks.md is written.');
}
if (values.strict && missed(report).length > 0) process.exitCode = 1;

async function run({ section: title, name, rounds }: Bench): Promise<void> {
  process.stdout.write(`bench/${name}.ts`);
  const start = performance.now();
  const outcome = await runBench(name, { rounds: fixedRounds ?? rounds });
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  console.log(outcome.skipped === undefined ? `  ${seconds} s` : `  SKIPPED: ${outcome.skipped}`);
  const section = sections.get(title) ?? { title, rows: [], skipped: [] };
  sections.set(title, section);
  section.rows.push(...outcome.rows);
  if (outcome.skipped !== undefined) section.skipped.push(`bench/${name}.ts: ${outcome.skipped}`);
  for (const each of outcome.packages) packages.add(each);
}

function table(lines: readonly (readonly [name: string, value: string])[]): string {
  return ['| on | |', '|---|---|', ...lines.map(([name, value]) => `| ${name} | ${value} |`)].join(
    '\n',
  );
}
