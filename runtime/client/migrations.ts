// Migrations of an edge: texts of statements that are applied once each, in the order of their numbers; knows no file.

import { checkOptions } from '../base/options.ts';
import type { Entity } from '../engine/status.ts';
import { type Connection, jsonCall, readJson } from './connection.ts';

export interface NewMigration {
  readonly name: string;
  /** Its place in the order; null: it has none. */
  readonly version: number | null;
  readonly sql: string;
}

const OPTIONS = { name: 'string', version: 'number | null', sql: 'string' };

/** What an edge remembers of a migration, in the words of ksqlDB's tool. */
export interface MigrationStatus {
  readonly name: string;
  readonly version: number | null;
  /** SHA-256 of its text, in hexadecimal. */
  readonly sha256: string;
  readonly state: 'RUNNING' | 'MIGRATED' | 'ERROR';
  /** How many of its statements are done. */
  readonly statements: number;
  readonly error: string | null;
  readonly atMs: number;
}

export interface AppliedMigration {
  /** false: it was applied before. */
  readonly applied: boolean;
  /** The answers of the statements that were done now. */
  readonly entities: readonly Entity[];
}

/** The migrations of an edge: `client.migrations`, or `new Migrations(connection)`. */
export class Migrations {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** In the order of their numbers. */
  async list(): Promise<readonly MigrationStatus[]> {
    const { migrations } = await this.#connection.retried(
      { method: 'GET', path: '/migrations' },
      readJson<{ readonly migrations: readonly MigrationStatus[] }>,
    );
    return migrations;
  }

  /**
   * Applies a text, unless it is applied: so it may be asked for again and again. When a statement fails, those before it stay done; the
   * mended text goes on behind them.
   * @throws {StatementError} of the statement that fails; ALREADY_EXISTS when it was applied with another text, INVALID when it is not its turn
   */
  async apply(migration: NewMigration): Promise<AppliedMigration> {
    checkOptions('apply', migration, OPTIONS);
    const { name, version, sql } = migration;
    const call = jsonCall('/migrations', { name, version, ksql: sql });
    return this.#connection.retried(call, readJson<AppliedMigration>);
  }
}
