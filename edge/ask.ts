// How a client is asked whether it has read what it was sent: a text that it sends back; knows no socket.

const ASK = 'ask ';

/** One that nobody can guess who has not read it. */
export function askText(): string {
  return ASK + crypto.randomUUID();
}

/** Whether a message of a client is the answer to one, whichever. */
export function isAskText(message: string): boolean {
  return message.startsWith(ASK);
}
