/**
 * Module hooks: a bench that imports a source of tenure gets the file that `npm run build` has made of it, as services do. tsx names
 * each function when it is created, and that makes a call of many small functions half as slow again.
 */

const sources = new URL('../src/', import.meta.url).href;
const built = new URL('../dist/', import.meta.url).href;

export async function resolve(specifier, context, nextResolve) {
  const resolved = await nextResolve(specifier, context);
  if (!resolved.url.startsWith(sources)) return resolved;
  const path = resolved.url.slice(sources.length).replace(/\.ts(\?|$)/, '.js$1');
  return { ...resolved, url: built + path, format: 'module' };
}
