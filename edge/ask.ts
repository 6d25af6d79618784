// How a client is asked whether it has read what it was sent: by a text that it sends back; knows no socket.

const ASK = 'ask ';

/** Whether a message of a client is the answer to an ask, whichever. */
export function isAskText(message: string): boolean {
  return message.startsWith(ASK);
}

/** What one client is asked, once at a time: the answer to one says nothing of what was sent behind it. */
export class Asks {
  #open: { readonly text: string; readonly bytes: number; readonly atMs: number } | null = null;

  /** It has not answered yet. */
  get isOpen(): boolean {
    return this.#open !== null;
  }

  /** Whether it was asked so long ago, and has not answered. */
  hasWaitedSince(ms: number): boolean {
    return this.#open !== null && this.#open.atMs <= ms;
  }

  /**
   * Asks, unless it has not answered yet.
   * @param bytes what lies unread by then
   * @param send sends a text that nobody can guess who has not read it
   */
  ask(bytes: number, send: (text: string) => void): void {
    if (this.#open !== null) return;
    const text = ASK + crypto.randomUUID();
    this.#open = { text, bytes, atMs: Date.now() };
    send(text);
  }

  /** @returns how many bytes the client has read, whose answer that is; null: it is none to the last ask */
  answered(text: string): number | null {
    if (this.#open?.text !== text) return null;
    const { bytes } = this.#open;
    this.#open = null;
    return bytes;
  }
}
