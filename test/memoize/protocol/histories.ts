/**
 * What each process has seen. A process does what follows from it, so it stands for all that the process keeps. Tokens are random, and
 * have names here: of the process that made one, and its number.
 */

/** A token, a revision, or the identity of a process; and the time before it. */
const RANDOM = /(?:[0-9a-z]{9}-)?([a-p]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/g;

interface Event {
  readonly process: string;
  /** What the process has seen; `undefined` if it has given something away. */
  readonly what: string | undefined;
  readonly value: unknown;
}

export class Histories {
  /** Is read only if somebody asks for a text: most runs need none. */
  readonly #events: Event[] = [];

  addSeen(process: string, what: string, value: unknown): void {
    this.#events.push({ process, what, value });
  }

  addGiven(process: string, value: unknown): void {
    this.#events.push({ process, what: undefined, value });
  }

  /** The histories, and other values, as a text that is the same in each run. */
  describe(...values: readonly unknown[]): string {
    const names = new Map<string, string>();
    const made = new Map<string, number>();
    const seen = new Map<string, string>();
    const textOf = (value: unknown): string =>
      textIn(value).replace(RANDOM, (_, random: string) => names.get(random) ?? random);
    for (const { process, what, value } of this.#events) {
      if (what !== undefined) {
        seen.set(process, `${seen.get(process) ?? process}; ${what} ${textOf(value)}`);
        continue;
      }
      for (const [, random] of textIn(value).matchAll(RANDOM)) {
        if (random === undefined || names.has(random)) continue;
        const number = (made.get(process) ?? 0) + 1;
        made.set(process, number);
        names.set(random, `<${process} ${number}>`);
      }
    }
    return [...seen.values(), ...values.map(textOf)].sort().join('\n');
  }
}

function textIn(value: unknown): string {
  return JSON.stringify(value) ?? '';
}
