// What is told of the error that a task has ended with: to whoever asks for its status, and in the log; knows no task.

import { messageOf, StatementError } from '../../runtime/base/errors.ts';

/**
 * The error in words, with what to do about it. In the log only of what is wrong with code or a statement, which quotes names and
 * declarations; other errors could quote what was read.
 */
export function endedWith(thrown: unknown): {
  readonly text: string;
  readonly logged: { readonly reason?: string };
} {
  const message = messageOf(thrown);
  if (!(thrown instanceof StatementError) || thrown.hint === '')
    return { text: message, logged: {} };
  const text = `${message}. ${thrown.hint}`;
  return { text, logged: { reason: text } };
}
