/** Masks the secrets that a text may contain, so that it can be printed: connection strings are keys, names and messages. */

/** The user part of a URL: `user:password@` or `token@`, up to the last `@` of the word. */
const USER_INFO = /(\/\/)([^\s/@:]*)(:?)\S*@/g;

/** A setting whose name says that it is secret, as `name=value` or `"name": "value"`. */
const SETTING =
  /((?:pass|pwd|secret|token|key|credential|signature)\w*["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s;&,}]+)/gi;

/** Longer texts are cut here: the patterns take quadratic time on hostile ones. */
const MAX_CHARACTERS = 2_000;

/** Gives the text with `***` in place of passwords and tokens, and without what is beyond 2,000 characters. */
export function maskSecrets(text: string): string {
  const cut = text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS)}…` : text;
  return cut.replace(USER_INFO, maskUserInfo).replace(SETTING, '$1***');
}

/** A name before a password is kept; a name alone may be a token. */
function maskUserInfo(_: string, slashes: string, user: string, colon: string): string {
  return colon === '' ? `${slashes}***@` : `${slashes}${user}:***@`;
}
