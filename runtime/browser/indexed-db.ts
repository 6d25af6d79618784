// IndexedDB's own objects with the types of millrace's rows, and its requests and transactions as promises; knows no log and no store.

/** A row of each object store by its key. */
type Rows = Readonly<Record<string, { readonly key: IDBValidKey; readonly value: unknown }>>;

/** One row under a cursor. */
export interface Cursor<Key, Row> {
  readonly key: Key;
  readonly value: Row;
  readonly request: IDBRequest<this | null>;
  continue(): void;
  delete(): void;
}

/** One object store, its keys outside of its rows. A request that nobody awaits still runs in its turn, and fails its transaction if it fails. */
export interface ObjectStore<Key, Row> {
  get(key: Key): IDBRequest<Row | undefined>;
  getAll(range?: IDBKeyRange, count?: number): IDBRequest<Row[]>;
  getAllKeys(range: IDBKeyRange, count?: number): IDBRequest<Key[]>;
  put(row: Row, key: Key): void;
  add(row: Row, key: Key): void;
  delete(keys: Key | IDBKeyRange): void;
  openCursor(range: IDBKeyRange): IDBRequest<Cursor<Key, Row> | null>;
  openKeyCursor(
    range: IDBKeyRange,
    direction: IDBCursorDirection,
  ): IDBRequest<{ readonly key: Key } | null>;
}

/** A transaction over object stores of such rows. */
export interface Transaction<All extends Rows> extends Pick<
  IDBTransaction,
  'abort' | 'addEventListener' | 'commit' | 'error'
> {
  objectStore<Name extends keyof All>(
    name: Name,
  ): ObjectStore<All[Name]['key'], All[Name]['value']>;
}

/** A connection to a database of such rows. */
export interface Connection<All extends Rows> {
  transaction(
    stores: readonly (keyof All)[],
    mode?: IDBTransactionMode,
    options?: IDBTransactionOptions,
  ): Transaction<All>;
  close(): void;
}

/** What a request gives. Rejects with what IndexedDB says. */
export function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    // As properties: a cursor's request is asked once a row, and must not gather listeners.
    Object.assign(request, {
      onsuccess: () => resolve(request.result),
      onerror: () => reject(request.error),
    });
  });
}

/** The cursor's next row; null: that was the last. */
export function onward<Key, Row>(cursor: Cursor<Key, Row>): Promise<Cursor<Key, Row> | null> {
  cursor.continue();
  return settled(cursor.request);
}

/** How a transaction ends: null when it is complete, else why it was aborted. */
export function ended(
  transaction: Pick<IDBTransaction, 'addEventListener' | 'error'>,
): Promise<{ readonly cause: unknown } | null> {
  return new Promise((resolve) => {
    transaction.addEventListener('complete', () => resolve(null));
    transaction.addEventListener('abort', () =>
      resolve({ cause: transaction.error ?? new DOMException('aborted', 'AbortError') }),
    );
  });
}
