// The entry of millrace/outbox: records of a page that are kept on its device until an edge has them; needs a browser.

import { PortError } from '../base/errors.ts';
import { checkOptions } from '../base/options.ts';
import type { Client } from '../client/index.ts';
import { nameOf, Outbox, type OutboxOptions } from './outbox.ts';
import { OutboxStore } from './store.ts';

const OPTIONS = { database: 'string', onState: 'function' };

/**
 * Opens an outbox of the edge that `client` is of, and begins to send what it holds.
 *
 * ```ts
 * const outbox = await openOutbox(connect({ url, token }), { database: 'orders' });
 * await outbox.send('orders', { key: 'o-1', value: '{"total": 12}' }); // kept, whether there is a network or not
 * ```
 *
 * @throws {TypeError} for options that are none
 * @throws {PortError} UNAVAILABLE where there is no IndexedDB or are no Web Locks, or the database does not open
 */
export async function openOutbox(client: Client, options: OutboxOptions): Promise<Outbox> {
  checkOptions('openOutbox', options, OPTIONS, 'database');
  if (globalThis.navigator?.locks === undefined || globalThis.indexedDB === undefined) {
    const needed = 'IndexedDB and Web Locks: a page or a Worker of a secure context';
    throw new PortError('UNAVAILABLE', `an outbox needs ${needed}`);
  }
  return new Outbox(client.connection, options, await OutboxStore.open(nameOf(options)));
}

export type { ProducedRecord } from '../engine/insert.ts';
export type { Outbox, OutboxOptions, OutboxState } from './outbox.ts';
export type { RefusedRecord } from './kept.ts';
