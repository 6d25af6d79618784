// Requests of IndexedDB as promises, and what its object stores hold as types; knows no object store.

type Span<Key> = Key | IDBKeyRange;

export interface Cursor<Key, Row> {
  readonly key: Key;
  readonly value: Row;
  readonly request: IDBRequest<Cursor<Key, Row> | null>;
  continue(): void;
  delete(): IDBRequest<undefined>;
}

/** What can be asked of an object store in any transaction. */
export interface Rows<Key, Row> {
  get(key: Key): IDBRequest<Row | undefined>;
  getAll(span?: Span<Key>, countMax?: number): IDBRequest<Row[]>;
  getAllKeys(span?: Span<Key>, countMax?: number): IDBRequest<Key[]>;
  openCursor(span: Span<Key>): IDBRequest<Cursor<Key, Row> | null>;
  openKeyCursor(
    span: Span<Key>,
    direction: 'prev',
  ): IDBRequest<Omit<Cursor<Key, Row>, 'value'> | null>;
}

/** And in one that writes. */
export interface WritableRows<Key, Row> extends Rows<Key, Row> {
  add(row: Row, key: Key): IDBRequest;
  put(row: Row, key: Key): IDBRequest;
  delete(span: Span<Key>): IDBRequest<undefined>;
}

/** A request of a cursor gives a row after the other, each to who asks for it. */
const ONCE = { once: true };

/** What a request gives. A promise a request is needless where nobody waits: requests run in order, and one that fails fails its transaction. */
export function asked<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result), ONCE);
    request.addEventListener('error', () => reject(request.error), ONCE);
  });
}

/** The row behind the one that a cursor stands at; null: it was the last one. */
export function nextOf<Key, Row>(cursor: Cursor<Key, Row>): Promise<Cursor<Key, Row> | null> {
  cursor.continue();
  return asked(cursor.request);
}
