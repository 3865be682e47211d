/** Writes leaks where the options say: for people, for a collector of logs, or into a file. */
import type Cluster from 'node:cluster';
import { renameSync, writeFileSync } from 'node:fs';
import { isMainThread, threadId } from 'node:worker_threads';
import { formatPosition } from '../../core/call-site.js';
import { builtinModule } from '../../core/host.js';
import { plural } from '../../core/plural.js';
import { formatReport } from '../../watchdog/format-report.js';
import type { LeakReport } from '../../watchdog/leak-report.js';
import { removePartial } from '../remove-partial.js';
import { printOnStderr } from '../stderr.js';
import type { RegisterOptions } from './register-options.js';
import type { RequestCounts } from './request-sample.js';

/** The leaks of a process as they are at one moment. */
export interface Findings {
  readonly leaks: readonly LeakReport[];
  /** Leaks that were found less than the grace period before the end of the process: their loans may have been on their way back. */
  readonly fresh: readonly LeakReport[];
  /** One phrase for each pool. */
  readonly watched: readonly string[];
  /** How many loans there were so far. */
  readonly loans: number;
  /** How many requests there were, and how many were scopes, if a sample chooses them. */
  readonly requests: RequestCounts | undefined;
  /** One phrase for each pool that is exhausted: every resource is out, and callers wait. */
  readonly exhausted: readonly string[];
  /** How many loans are out that are not lost as far as is known. */
  readonly stillOut: number;
  /** The lines that took the most of them, as far as they are known. */
  readonly linesOut: readonly { readonly line: string; readonly count: number }[];
  /** The copies of packages that are left alone. */
  readonly missed: readonly string[];
}

/** The version of the JSON file. It changes when a field changes its meaning or goes. */
const JSON_VERSION = 1;

/** How many leaks are remembered with their lines. */
const MAX_TOLD = 1_000;

/** Where a process writes its leaks. */
export class LeakOutput {
  readonly #options: Pick<RegisterOptions, 'leaks' | 'json'>;
  readonly #worker: string | undefined = workerName();
  readonly #source: string;

  /** The line and the scope of each leak that was written, by its signature. */
  readonly #told = new Map<
    string,
    { readonly line: string | undefined; readonly scope: string | undefined }
  >();

  constructor(options: Pick<RegisterOptions, 'leaks' | 'json'>) {
    this.#options = options;
    this.#source = this.#worker === undefined ? 'tenure' : `tenure (${this.#worker})`;
  }

  /** Writes a sentence. */
  say(sentence: string): void {
    if (this.#options.leaks === 'log') this.#line({ tenure: 'note', text: sentence });
    else printOnStderr(`${this.#source}: ${sentence}`);
  }

  /** Writes a leak that was found just now. */
  found(leak: LeakReport): void {
    if (this.#told.size >= MAX_TOLD) this.#told.clear();
    this.#told.set(leak.signature, { line: lineOf(leak), scope: leak.scope });
    if (this.#options.leaks === 'log') this.#line({ tenure: 'leak', ...summaryOf(leak) });
    else printOnStderr(prefixed(this.#source, formatReport([leak], { colour: hasColours() })));
  }

  /** Writes that all loans of a leak that was written have come back. Its report knows no line and no scope any more. */
  cameBack({ component, count: loans, signature }: LeakReport): void {
    const { line, scope } = this.#told.get(signature) ?? {};
    this.#told.delete(signature);
    if (this.#options.leaks === 'log') {
      const pool = component.name;
      this.#line({ tenure: 'retracted', pool, line, scope, count: loans, signature });
      return;
    }
    const where = `${line ?? 'an unknown line'}${scope === undefined ? '' : ` in ${scope}`}`;
    this.say(
      `NO LEAK AFTER ALL  the loans of ${component.kind} ${JSON.stringify(component.name)} that were reported of ${where} have come back (sig ${signature})`,
    );
  }

  /** Writes what there is to report, and the JSON file if one is asked for. */
  report(findings: Findings): void {
    if (this.#options.leaks === 'log') {
      const { leaks, ...rest } = findings;
      this.#line({
        tenure: 'report',
        leaks: leaks.map(summaryOf),
        ...rest,
        fresh: rest.fresh.length,
      });
    } else printOnStderr(prefixed(this.#source, this.#text(findings)));
    if (this.#options.json !== undefined) this.#writeFile(this.#options.json, findings);
  }

  #text(findings: Findings): string {
    const { leaks, fresh, watched, loans, requests, exhausted, stillOut, linesOut, missed } =
      findings;
    const lines: string[] = [];
    if (leaks.length > 0) lines.push(formatReport(leaks, { colour: hasColours() }));
    else if (exhausted.length > 0) lines.push('NO LEAK IS PROVEN, BUT A POOL IS EXHAUSTED');
    else if (fresh.length > 0)
      lines.push('NO LEAK IS PROVEN, BUT LOANS OF REQUESTS THAT HAD ENDED WERE OUT');
    else lines.push(formatReport([], { colour: hasColours() }));
    lines.push('', `watched: ${watched.join(', ')}; ${plural(loans, 'loan')} so far`);
    if (requests !== undefined && requests.watched < requests.requests) {
      lines.push(`requests: ${requests.watched} of ${requests.requests} had a scope`);
    }
    for (const phrase of exhausted) lines.push(`exhausted: ${phrase}`);
    if (stillOut > 0) {
      const takenAt = linesOut.map((out) => `${out.line} ×${out.count}`).join(', ');
      const from = takenAt === '' ? '' : `, taken at ${takenAt}`;
      lines.push(`still out, and not known to be lost: ${plural(stillOut, 'loan')}${from}`);
    }
    if (fresh.length > 0) {
      const places = fresh.map((leak) => `${lineOf(leak) ?? leak.component.name} ×${leak.count}`);
      lines.push(`out at the end, after their requests, and not counted: ${places.join(', ')}`);
    }
    for (const copy of missed) lines.push(`not watched: ${copy}`);
    return lines.join('\n');
  }

  #line(data: object): void {
    printOnStderr(JSON.stringify({ source: this.#source, pid: process.pid, ...data }));
  }

  /** Writes the file in one step, so that a reader never sees half of it. */
  #writeFile(path: string, findings: Findings): void {
    const suffix = this.#worker?.replaceAll(' ', '-');
    const target = suffix === undefined ? path : path.replace(/(\.json)?$/, `.${suffix}$1`);
    const temporary = `${target}.${process.pid}.tmp`;
    try {
      const content = {
        version: JSON_VERSION,
        pid: process.pid,
        at: new Date().toISOString(),
        ...findings,
      };
      writeFileSync(temporary, `${JSON.stringify(content, null, 2)}\n`);
      renameSync(temporary, target);
    } catch (error) {
      removePartial(temporary);
      this.say(`the file of the option "json" cannot be written: ${(error as Error).message}`);
    }
  }
}

/** Names the worker that this is, a thread or a process of a cluster; `undefined` for another process. */
function workerName(): string | undefined {
  if (!isMainThread) return `worker ${threadId}`;
  if (process.send === undefined) return undefined; // It was not forked, and needs no module for that.
  const worker = builtinModule<typeof Cluster>('node:cluster')?.worker;
  return worker === undefined ? undefined : `cluster worker ${worker.id}`;
}

function summaryOf(leak: LeakReport): object {
  const { rule, certainty, component, scope, count: loans, ageMillis, signature, fix } = leak;
  const [pool, line] = [component.name, lineOf(leak)];
  return { rule, certainty, pool, line, scope, count: loans, ageMillis, signature, fix };
}

function lineOf({ site }: LeakReport): string | undefined {
  return site === undefined ? undefined : formatPosition(site);
}

/** Puts the source in front of the first line. */
function prefixed(source: string, text: string): string {
  return `${source}: ${text}`;
}

function hasColours(): boolean {
  return process.stderr.isTTY === true && process.env['NO_COLOR'] === undefined;
}
