/** The identity of a leak, which survives edits of the code around it and rebuilds. */
import type { Frame } from '../core/call-site.js';
import type { LoanSource } from './loan.js';
import type { LeakRule } from './rules/rules.js';

/**
 * Gives 8 hexadecimal digits that are equal, in every run, for loans that the same function of the same file has taken from
 * the same component, and that the same rule has found. Lines and columns are left out, since each edit above moves them.
 * `isDirect` says that the loans were taken from the pool underneath.
 */
export function signatureOf(
  rule: LeakRule,
  component: Pick<LoanSource, 'kind' | 'name'>,
  site: Frame | undefined,
  isDirect: boolean = false,
): string {
  const unknown = isDirect ? ['taken directly'] : [];
  const place = site === undefined ? unknown : [functionOf(site), fileOf(site)];
  const identity = [rule, component.kind, component.name, ...place];
  return fnv1a(identity.join('\0')).toString(16).padStart(8, '0');
}

/**
 * The name of the function. The engine adds the receiver of a call, how a method was reached, and a word for functions
 * without a name. None of these belongs to the code.
 */
function functionOf({ functionName }: Frame): string {
  return functionName
    .replace(/ \[as [^\]]*\]$/, '')
    .replace(/^(?:async |new )+/, '')
    .replace(/^Object\./, '')
    .replace('<anonymous>', '');
}

/** The file without the query of a module that was loaded again, and without the hash of its content in its name. */
function fileOf({ file }: Frame): string {
  return file.replace(/\?.*$/, '').replace(/[-.](?=[\w-]*[\dA-Z])[\w-]{8,}(?=\.[cm]?js$)/, '');
}

/** Hashes a text by 32-bit FNV-1a over its UTF-16 code units: http://www.isthe.com/chongo/tech/comp/fnv/ */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return hash >>> 0;
}
