// What a database file is opened with, as types alone: pages check their types without Node's.

/** 'strict': a promise is kept when the disk has the bytes; 'relaxed': when the operating system has them. */
export type Durability = 'relaxed' | 'strict';

export interface FileOptions {
  /** Path of the database; it is made when it is not there. SQLite keeps `<file>-wal` beside it while it is open. */
  readonly file: string;
  /**
   * `strict` (the default): a commit is done when the disk has it; `relaxed`: when the operating system has it, which is faster. A process
   * that is killed loses nothing either way; a power failure may take the last commits of a relaxed one, each as a whole.
   */
  readonly durability?: Durability | undefined;
}
