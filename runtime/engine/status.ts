// The answer of a statement in ksqlDB's shape, and the commonest of them: what became of a change; plain JSON, knows no host.

/** The answer of one statement. `@type` says which members it has. */
export interface Entity {
  readonly '@type': string;
  readonly statementText: string;
  readonly warnings: readonly { readonly message: string }[];
  readonly [member: string]: unknown;
}

export function entity(
  type: string,
  statementText: string,
  members: Readonly<Record<string, unknown>>,
  warnings: readonly string[] = [],
): Entity {
  return {
    '@type': type,
    statementText,
    ...members,
    warnings: warnings.map((message) => ({ message })),
  };
}

/** What became of a statement that changes something. */
export function currentStatus(
  statementText: string,
  status: {
    readonly commandId: string;
    readonly message: string;
    readonly queryId: string | null;
    readonly sequence: number;
  },
  warnings: readonly string[] = [],
): Entity {
  const { commandId, message, queryId, sequence } = status;
  return entity(
    'currentStatus',
    statementText,
    {
      commandId,
      commandStatus: { status: 'SUCCESS', message, queryId },
      commandSequenceNumber: sequence,
    },
    warnings,
  );
}
