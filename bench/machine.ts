/** What the report says of the machine and of the versions. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';

/** Facts of the machine, each with its name. */
export function machineFacts(): [name: string, value: string][] {
  const [cpu] = cpus();
  return [
    ['date', new Date().toISOString().slice(0, 10)],
    ['CPU', `${cpu?.model.trim() ?? 'unknown'}, ${availableParallelism()} cores`],
    ['memory', `${Math.round(totalmem() / 2 ** 30)} GiB`],
    ['system', `${process.platform} ${process.arch}`],
    ['Node', process.versions.node],
    ['V8', process.versions.v8],
    ['load when it began', `${loadavg()[0]?.toFixed(1)} processes, those of other users included`],
  ];
}

/** The version of tenure, of an installed package, or of CPython. */
export function versionOf(name: string): string {
  if (name === 'CPython') {
    const { status, stdout } = spawnSync('python3.11', ['--version'], { encoding: 'utf8' });
    return status === 0 ? stdout.trim().replace('Python ', '') : 'absent';
  }
  const folder = name === 'tenure' ? '..' : `../node_modules/${name}`;
  const manifest = new URL(`${folder}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { readonly version: string }).version;
}
