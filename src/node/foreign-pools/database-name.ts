/** The name of the database that a pool connects to. */

/**
 * Gives the name of a database from the options of its client; empty if they do not tell. Only the path of a connection URL is
 * read. Nothing else of it may get into a report: it has the password.
 */
export function databaseOf(database: unknown, connectionUrl?: unknown): string {
  if (typeof database === 'string') return database;
  if (typeof connectionUrl !== 'string') return '';
  const path = /^[\w+.-]+:\/\/[^/?#]*\/([^?#]+)/.exec(connectionUrl)?.[1] ?? '';
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
