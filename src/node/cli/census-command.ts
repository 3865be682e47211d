/** `tenure census`: what is in a heap snapshot, what came since another, and what keeps it alive. */
import { resolve } from 'node:path';
import { type Census, census } from '../../profile/census/census.js';
import type { CensusBy } from '../../profile/census/classify.js';
import { groupPaths } from '../profile/snapshot/group-paths.js';
import { openSnapshot } from '../profile/snapshot/open-snapshot.js';
import type { V8Snapshot } from '../profile/snapshot/v8-snapshot.js';
import {
  type Command,
  EXIT,
  integerOption,
  onlyFile,
  readArguments,
  UsageError,
} from './command.js';

const OPTIONS = {
  since: { type: 'string' },
  paths: { type: 'string' },
  by: { type: 'string' },
  rows: { type: 'string' },
  retained: { type: 'boolean' },
} as const;

/** Properties that a snapshot of V8 can be divided by. */
const PROPERTIES: readonly string[] = ['kind', 'referrers', 'site'];

export const censusCommand: Command = {
  usage:
    'census FILE [--since FILE] [--by kind|referrers|site] [--paths KIND] [--retained] [--rows N] [--json]',
  summary: 'Counts the objects of a heap snapshot, as Heapy does.',
  help: `  FILE           a .heapsnapshot of Node or Chrome
  --since FILE   counts only what this earlier snapshot of the same process lacks
  --by PROPERTY  divides by kind (default), by the kinds of the referrers, or by the line of the constructor
  --paths KIND   prints what keeps the objects of a kind alive
  --retained     prints what all counted objects retain together, too
  --rows N       prints the N largest rows (default 20)

A snapshot takes 70 to 100 bytes of memory an object. With --since, both snapshots are in memory.`,
  async run(args, terminal) {
    const { values, files } = readArguments(args, OPTIONS);
    const file = onlyFile(files, 'a snapshot: tenure census app.heapsnapshot');
    const by = values.by ?? 'kind';
    if (!PROPERTIES.includes(by)) {
      throw new UsageError(`--by must be one of ${PROPERTIES.join(', ')}, got ${by}.`);
    }
    const maxRows = integerOption('rows', values.rows ?? '20', 1);
    const snapshot = await openSnapshot(resolve(terminal.folder, file));
    const since =
      values.since === undefined
        ? undefined
        : census(await openSnapshot(resolve(terminal.folder, values.since)));
    const counted = census(snapshot, {
      by: by as CensusBy,
      ...(since === undefined ? {} : { since }),
    });
    const groups =
      values.paths === undefined ? undefined : pathsOf(snapshot, counted, values.paths);
    const retained = values.retained === true ? counted.retained() : undefined;
    if (values.json === true) {
      terminal.print(
        JSON.stringify({
          file,
          since: values.since,
          source: counted.source,
          total: counted.total,
          rows: counted.rows.slice(0, maxRows),
          retained,
          paths: groups,
        }),
      );
      return EXIT.fine;
    }
    terminal.print(counted.toString({ maxRows }));
    if (retained !== undefined) {
      terminal.print(`\nTogether they retain ${retained.nodes} objects, ${retained.bytes} bytes.`);
    }
    for (const { count, path } of groups ?? []) terminal.print(`\n${count} × ${path}`);
    return EXIT.fine;
  },
};

/** Gives the paths to the counted objects of a kind. */
function pathsOf(
  snapshot: V8Snapshot,
  counted: Census,
  kind: string,
): ReturnType<typeof groupPaths> {
  const nodes = [...counted.by('kind').row(kind).handles()];
  if (nodes.length > 0) return groupPaths(snapshot, nodes);
  throw new UsageError(
    `No counted object is of the kind ${kind}. Kinds are names of constructors, or as (string) and (array); run without --paths to see them.`,
  );
}
