// The one place that writes to the console (pages: through task/log-later.ts): a line of JSON an event, never a key, a value or a payload; knows no reader of it.

/** What a line names besides its event; numbers and names only. */
export interface LogFields {
  readonly query?: string | undefined;
  readonly task?: string | undefined;
  readonly topic?: string | undefined;
  readonly partition?: number | undefined;
  readonly code?: string | undefined;
  /** Words of ours and names of statements and of code. */
  readonly reason?: string | undefined;
  /** What was thrown: its class, and where in the code; its message too where that is ours, which quotes no record. */
  readonly thrown?: unknown;
}

/** How many errors deep a line goes: what was thrown, and what that was thrown for. */
const CAUSES_MAX = 2;

/** Longest message, and longest stack, that a line holds. */
const MESSAGE_LENGTH_MAX = 1000;
const STACK_LENGTH_MAX = 2000;

/** Errors whose messages name places and limits and never quote what was read. */
const TOLD: ReadonlySet<string> = new Set(['PortError', 'LimitError', 'TaskCorrupted']);

/**
 * Writes one line: level, event (words of ours, with hyphens), and the fields that are given. The time is the platform's.
 * Messages of other errors could quote what was read, so they are left out, and stacks begin behind the message.
 */
export function log(level: 'info' | 'warn' | 'error', event: string, fields: LogFields = {}): void {
  const { thrown, ...named } = fields;
  const about = 'thrown' in fields ? aboutThrown(thrown, CAUSES_MAX) : {};
  console[level](JSON.stringify({ level, event, ...about, ...named }));
}

function aboutThrown(thrown: unknown, deep: number): Readonly<Record<string, unknown>> {
  if (!(thrown instanceof Error)) return { error: typeof thrown };
  const { name, message, stack = '', cause } = thrown;
  const at = stack.indexOf('\n    at ');
  return {
    error: name,
    ...('code' in thrown && TOLD.has(name) ? { code: String(thrown.code) } : {}),
    ...(TOLD.has(name) ? { message: message.slice(0, MESSAGE_LENGTH_MAX) } : {}),
    ...(at < 0 ? {} : { stack: stack.slice(at + 1, at + 1 + STACK_LENGTH_MAX) }),
    ...(cause === undefined || deep === 1 ? {} : { cause: aboutThrown(cause, deep - 1) }),
  };
}
