/** `tenure doctor`: what tenure finds in a project: the host, and the packages that its adapters are for. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { availableMemory } from 'node:process';
import { formatBytes } from '../../profile/measure/format-bytes.js';
import { isWatchedVersion, PEER_FOLDERS } from '../foreign-pools/peer-packages.js';
import { estimateSnapshot } from '../profile/snapshot/snapshot-estimate.js';
import { type Command, EXIT, readArguments, UsageError } from './command.js';
import { isInRange } from './version-range.js';

/** A package that has an adapter. */
interface Peer {
  readonly name: string;
  /** Versions that the adapter works with. */
  readonly range: string;
  /** Version that the project has; absent if it has none. */
  readonly version?: string;
  readonly isSupported?: boolean;
}

/** A package whose pools `tenure/register` can watch. */
interface WatchedPackage {
  readonly name: string;
  readonly version: string;
  readonly isWatched: boolean;
}

interface Manifest {
  readonly version?: string;
  readonly supportedPeers?: Readonly<Record<string, string>>;
  readonly engines?: { readonly node?: string };
}

export const doctorCommand: Command = {
  usage: 'doctor [--json]',
  summary:
    'Shows the packages of this project that tenure has adapters for, and which pools register sees.',
  help: `Looks from the current folder, as an import in a file there would.
The exit code is 1 if a version is not supported.`,
  run(args, terminal) {
    const { values, files } = readArguments(args, {});
    if (files.length > 0) throw new UsageError('doctor takes no files; run it in the project.');
    const own = ownManifest();
    const peers = Object.entries(own.supportedPeers ?? {}).map(([name, range]) =>
      peerIn(terminal.folder, name, range),
    );
    const pools = poolsIn(terminal.folder);
    const node = process.versions.node;
    const isNodeSupported = isInRange(node, own.engines?.node ?? '*');
    const isFine = isNodeSupported && peers.every(({ isSupported }) => isSupported !== false);
    if (values.json === true) {
      terminal.print(JSON.stringify({ tenure: own.version, node, isNodeSupported, peers, pools }));
    } else {
      terminal.print(
        `tenure ${own.version}, Node ${node}${isNodeSupported ? '' : ` (needs ${own.engines?.node})`}`,
      );
      terminal.print(`memory available to this process: ${formatBytes(availableMemory())}`);
      terminal.print(`a heap snapshot of this process: ${estimateSnapshot().text}`);
      terminal.print(`packages seen from ${terminal.folder}:`);
      for (const peer of peers) terminal.print(`  ${peerLine(peer)}`);
      terminal.print('pools that node --import tenure/register sees:');
      for (const pool of pools) terminal.print(`  ${poolLine(pool)}`);
      if (pools.length === 0) terminal.print('  none');
    }
    return isFine ? EXIT.fine : EXIT.found;
  },
};

function peerLine({ name, range, version, isSupported }: Peer): string {
  if (version === undefined) return `${name}: not installed`;
  if (isSupported === true) return `${name} ${version}: supported (${range})`;
  return `${name} ${version}: NOT SUPPORTED, needs ${range}`;
}

function poolLine({ name, version, isWatched }: WatchedPackage): string {
  return `${name} ${version}: ${isWatched ? 'watched' : 'LEFT ALONE, this version is not known'}`;
}

function poolsIn(folder: string): WatchedPackage[] {
  return PEER_FOLDERS.flatMap((name) => {
    const version = manifestOf(folder, name)?.version;
    return version === undefined
      ? []
      : [{ name, version, isWatched: isWatchedVersion(name, version) }];
  });
}

function peerIn(folder: string, name: string, range: string): Peer {
  const manifest = manifestOf(folder, name);
  if (manifest?.version === undefined) return { name, range };
  const { version } = manifest;
  return { name, range, version, isSupported: isInRange(version, range) };
}

/** Finds a package as Node does. Packages may hide their package.json behind `exports`, so folders are searched. */
function manifestOf(folder: string, name: string): Manifest | undefined {
  for (const modules of createRequire(join(folder, 'index.js')).resolve.paths(name) ?? []) {
    const file = join(modules, name, 'package.json');
    if (existsSync(file)) return manifestAt(file);
  }
  return undefined;
}

/** The package.json of this package. */
export function ownManifest(): Manifest {
  return manifestAt(new URL('../../../package.json', import.meta.url));
}

function manifestAt(file: string | URL): Manifest {
  const text = readFileSync(file, 'utf8');
  try {
    return JSON.parse(text) as Manifest;
  } catch (error) {
    throw new Error(`${file} is no JSON: ${(error as Error).message}. Install the package again.`);
  }
}
