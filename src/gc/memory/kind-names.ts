/**
 * Names of classes of nodes. A class is a kind, alone or with a site. Each is stored once and has a number, so that the class of
 * a node takes two bytes.
 */
import { InvalidArgumentError } from '../../core/errors.js';
import { aName, checkArgument } from '../../core/options.js';
import { MAX_KINDS } from './node-store.js';

/** Number of the kind `node`, which is the default. */
export const DEFAULT_KIND = 0;

/** The site of a node that was allocated without one. */
const NO_SITE = '';

export class KindNames {
  readonly #ids: Map<string, number> = new Map([['node', DEFAULT_KIND]]);
  readonly #idsBySite = new Map<string, Map<string, number>>();
  readonly #names: string[] = ['node'];
  readonly #sites: string[] = [NO_SITE];

  /** Returns the number of a kind. A new name gets a new number. */
  id(name: string): number {
    return this.#ids.get(name) ?? this.#addKind(name);
  }

  /** Returns the number of a kind at a site. A new pair gets a new number. */
  idAt(name: string, site: string): number {
    if (site === NO_SITE) return this.id(name);
    return this.#idsBySite.get(name)?.get(site) ?? this.#addSite(name, site);
  }

  name(id: number): string {
    return this.#names[id] as string;
  }

  site(id: number): string {
    return this.#sites[id] as string;
  }

  #addKind(name: string): number {
    const id = this.#add(name, NO_SITE);
    this.#ids.set(name, id);
    return id;
  }

  #addSite(name: string, site: string): number {
    const id = this.#add(name, site);
    let ids = this.#idsBySite.get(name);
    if (ids === undefined) {
      ids = new Map();
      this.#idsBySite.set(name, ids);
    }
    ids.set(site, id);
    return id;
  }

  #add(name: string, site: string): number {
    checkArgument('heap.alloc', 'kind', name, aName);
    const id = this.#names.length;
    if (id === MAX_KINDS) {
      throw new InvalidArgumentError(
        `heap.alloc: more than ${MAX_KINDS} kinds and sites. Each is a class of nodes, not a name for one.`,
      );
    }
    this.#names.push(name);
    this.#sites.push(site);
    return id;
  }
}
