// What a millrace database is called among the origin's others; knows no database.

/** Name of the IndexedDB database, and of its lock, for a millrace database. */
export function databaseName(name: string): string {
  return `millrace:${name}`;
}
