/**
 * A baseline: the leaks that a program is known to have, as a file of the repository. A watchdog that is given their signatures
 * reports the new ones only, and counts the others.
 */

import { formatPosition } from '../core/call-site.js';
import { InvalidArgumentError } from '../core/errors.js';
import { checkArgument } from '../core/options.js';
import { type LeakReport, someReports } from './leak-report.js';

const VERSION = 1;

/** What a baseline file has. Only the signatures count; the rest tells a reader what they stand for. */
interface BaselineFile {
  readonly version: typeof VERSION;
  readonly leaks: readonly { readonly signature: string; readonly what: string }[];
}

/**
 * Gives reports as the text of a baseline file: one line for each signature, in their order, so that a change shows in a diff.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for `reports` that are no array: a `check` that was not awaited.
 *
 * @example
 * ```ts
 * import { formatBaseline, parseBaseline } from 'tenure/watchdog';
 *
 * parseBaseline(formatBaseline([])); // => []
 * ```
 */
export function formatBaseline(reports: readonly LeakReport[]): string {
  checkArgument('formatBaseline', 'reports', reports, someReports);
  const bySignature = new Map(reports.map((report) => [report.signature, describe(report)]));
  const lines = [...bySignature]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([signature, what]) => `    ${JSON.stringify({ signature, what })}`);
  const leaks = lines.length === 0 ? '[]' : `[\n${lines.join(',\n')}\n  ]`;
  return `{\n  "version": ${VERSION},\n  "leaks": ${leaks}\n}\n`;
}

/**
 * Gives the signatures in the text of a baseline file, for the option `suppress` of a watchdog.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a text that {@link formatBaseline} has not written.
 *
 * @example
 * ```ts
 * import { parseBaseline } from 'tenure/watchdog';
 *
 * const file = '{ "version": 1, "leaks": [{ "signature": "5f3a91c2", "what": "orphaned" }] }';
 * parseBaseline(file); // => ['5f3a91c2']
 * ```
 */
export function parseBaseline(text: string): string[] {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch (cause) {
    throw malformed('it is no JSON', cause);
  }
  const { version, leaks } = (file ?? {}) as Partial<BaselineFile>;
  if (version !== VERSION) throw malformed(`its \`version\` must be ${VERSION}`);
  if (!Array.isArray(leaks)) throw malformed('`leaks` must be a list');
  return (leaks as readonly unknown[]).map((leak, index) => {
    const signature = (leak as { readonly signature?: unknown } | null)?.signature;
    if (!isSignature(signature)) throw malformed(`\`leaks[${index}]\` has no signature`);
    return signature;
  });
}

/** Says how many loans of suppressed leaks are lost; nothing if there are none. */
export function suppressedNotes(count: number): string[] {
  if (count === 0) return [];
  return [count === 1 ? '1 lost loan is suppressed' : `${count} lost loans are suppressed`];
}

/** Whether a value is the signature of a report. */
export function isSignature(value: unknown): value is string {
  return typeof value === 'string' && /^[\da-f]{8}$/.test(value);
}

function describe({ rule, component, site }: LeakReport): string {
  const where =
    site === undefined ? 'unknown line' : `${site.functionName} ${formatPosition(site)}`;
  return `${rule}  ${component.kind} ${JSON.stringify(component.name)}  ${where.trim()}`;
}

function malformed(why: string, cause?: unknown): InvalidArgumentError {
  return new InvalidArgumentError(
    `parseBaseline: this is no baseline: ${why}. Write it anew by \`formatBaseline(await watchdog.check())\`.`,
    { cause },
  );
}
