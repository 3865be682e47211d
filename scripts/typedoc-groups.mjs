/**
 * A typedoc plugin that orders the pages of the subpaths, and the members of each page: main members first, errors and the
 * watch protocol last.
 *
 * A member that several subpaths export is described on the page of the entry point that typedoc.json lists first; the other
 * pages refer to it. So the order there says which page owns what, and the order here is the order for readers.
 *
 * The groups come from what a member is and where it is declared, so that doc comments need no `@group` tag. The order of the
 * groups is `groupOrder` in typedoc.json.
 */
import { CommentTag, Converter, ReflectionKind } from 'typedoc';

const ADAPTER = ['adoptPool', 'AdoptedPool', 'AdoptOptions'];

/** Subpaths in the order of the navigation, each with the members that its reader needs first. */
const MAIN = new Map(
  Object.entries({
    'tenure/pool': [
      'createPool',
      'Pool',
      'Lease',
      'Factory',
      'PoolOptions',
      'LeaseOptions',
      'KeyedPool',
    ],
    'tenure/memoize': ['memoize', 'memoized', 'Memoized', 'MemoizeOptions'],
    'tenure/memoize/s3-fifo': ['s3fifo'],
    'tenure/memoize/shared': ['sharedCache', 'SharedCacheOptions', 'SharedStore'],
    'tenure/memoize/disposal': ['disposal'],
    'tenure/memoize/dump': ['dump', 'restore'],
    'tenure/view': [
      'memoryview',
      'MemoryView',
      'BufferPool',
      'BufferPoolOptions',
      'BufferLease',
      'Exporter',
    ],
    'tenure/watchdog': ['Watchdog', 'WatchdogOptions', 'LeakReport', 'formatReport'],
    'tenure/scope': [
      'contextManager',
      'asyncContextManager',
      'DisposableStack',
      'AsyncDisposableStack',
      'closing',
      'RefCounted',
    ],
    'tenure/weak': ['ref', 'finalize', 'WeakValueMap'],
    'tenure/gc': ['Heap', 'HeapOptions', 'NodeOptions', 'GcModule', 'exportHeap', 'runHeapProgram'],
    'tenure/integrations/pg': ADAPTER,
    'tenure/integrations/mysql2': ADAPTER,
    'tenure/integrations/tarn': ADAPTER,
    'tenure/integrations/generic-pool': ADAPTER,
    'tenure/integrations/redis': ['redisBus', 'redisLock'],
  }),
);

const MAIN_GROUP = 'Main';

/** Runs after typedoc has sorted and grouped, which it does at -100. */
const AFTER_GROUPING = -200;

/** Called by typedoc. */
export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const page of pagesOf(project)) {
      for (const name of mainMembers(page)) {
        if (page.getChildByName([name]) === undefined) {
          app.logger.warn(`scripts/typedoc-groups.mjs: ${page.name} has no ${name}`);
        }
      }
      for (const member of page.children ?? []) putIntoGroup(member, groupOf(member, page));
    }
    for (const pages of [project.children, project.childrenIncludingDocuments]) {
      pages.sort((a, b) => placeOf(a) - placeOf(b));
    }
  });
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (_context, reflection) => {
    if (reflection.kindOf(ReflectionKind.Module)) reflection.name = importNameOf(reflection.name);
  });
  app.converter.addUnknownSymbolResolver(({ symbolReference }, { project }, link) => {
    if (link === undefined) return undefined; // It asks about a type, not about a `{@link}` in a comment.
    const [name, ...rest] = symbolReference?.path ?? [];
    const target = rest.length === 0 ? describedMember(project, name?.path) : undefined;
    return target && { target };
  });
  app.converter.on(
    Converter.EVENT_RESOLVE_END,
    ({ project }) => {
      for (const page of pagesOf(project)) sortMainMembers(page);
    },
    AFTER_GROUPING,
  );
}

function pagesOf(project) {
  return project.getChildrenByKind(ReflectionKind.Module);
}

/** The member of this name that some page describes: a link may name a member that its own page does not export. */
function describedMember(project, name) {
  return pagesOf(project)
    .flatMap(({ children = [] }) => children)
    .find((member) => member.name === name && !member.isReference());
}

/** What a user imports: `tenure/pool` for `pool`, `tenure` for `index`. */
function importNameOf(entry) {
  return entry === 'index' ? 'tenure' : `tenure/${entry}`;
}

function mainMembers(page) {
  return MAIN.get(page.name) ?? [];
}

/** The place of a page in the navigation: pages without main members last. */
function placeOf(page) {
  const place = [...MAIN.keys()].indexOf(page.name);
  return place < 0 ? MAIN.size : place;
}

/** The group of a member; none for the group of its kind. */
function groupOf(member, page) {
  if (member.isReference()) return undefined;
  if (mainMembers(page).includes(member.name)) return MAIN_GROUP;
  const file = member.project.getSymbolIdFromReflection(member)?.packagePath;
  if (file === 'src/core/probe.ts') return 'Watch protocol';
  if (file === 'src/core/clock.ts') return 'Clock';
  if (/Error(Options)?$/.test(member.name)) return 'Errors';
  return member.name.endsWith('Options') ? 'Options' : undefined;
}

function putIntoGroup(member, group) {
  if (group === undefined) return;
  const commented = member.signatures ?? [member];
  for (const { comment } of commented) {
    comment?.blockTags.push(new CommentTag('@group', [{ kind: 'text', text: group }]));
  }
}

/**
 * Puts the main members of a page into the order of the table above, those that are described on another page included, and
 * the navigation into the order of the page.
 */
function sortMainMembers(page) {
  const order = mainMembers(page);
  const groups = page.groups ?? [];
  const main = groups.find(({ title }) => title === MAIN_GROUP);
  const references = groups.find(({ title }) => title === 'References');
  const isMain = ({ name }) => order.includes(name);
  if (main !== undefined && references !== undefined) {
    main.children.push(...references.children.filter(isMain));
    references.children = references.children.filter((reference) => !isMain(reference));
  }
  main?.children.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
  page.children = groups.flatMap(({ children }) => children);
  page.childrenIncludingDocuments = page.children;
}
