// Reads server-sent events as a browser's EventSource would, event by event; knows no route.

/** One event, or a comment. */
export interface ServerEvent {
  readonly type: string;
  readonly id: string | null;
  readonly data: string;
}

/** An open stream of events; leaving it cuts the connection. */
export class EventReader implements AsyncDisposable {
  readonly status: number;
  readonly #abort: AbortController;
  readonly #lines: AsyncGenerator<string, void, undefined>;
  /** Comments seen so far. */
  comments = 0;

  private constructor(response: Response, abort: AbortController) {
    this.status = response.status;
    this.#abort = abort;
    this.#lines = linesOf(response);
  }

  static async open(
    url: string,
    options: {
      readonly headers?: Readonly<Record<string, string>> | undefined;
      /** Sent as JSON with POST. */
      readonly body?: unknown;
    } = {},
  ): Promise<EventReader> {
    const abort = new AbortController();
    const response = await fetch(url, {
      headers: {
        Accept: 'text/event-stream',
        ...(options.body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...options.headers,
      },
      signal: abort.signal,
      ...(options.body === undefined ? {} : { method: 'POST', body: JSON.stringify(options.body) }),
    });
    return new EventReader(response, abort);
  }

  /** The next event; null at the end of the stream. */
  async next(): Promise<ServerEvent | null> {
    let type = 'message';
    let id: string | null = null;
    const data: string[] = [];
    for (;;) {
      const { done, value: line } = await this.#lines.next();
      if (done === true) return null;
      if (line.startsWith(':')) this.comments += 1;
      else if (line.startsWith('event: ')) type = line.slice(7);
      else if (line.startsWith('id: ')) id = line.slice(4);
      else if (line.startsWith('data: ')) data.push(line.slice(6));
      else if (line === '' && data.length > 0) return { type, id, data: data.join('\n') };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
  }
}

async function* linesOf(response: Response): AsyncGenerator<string, void, undefined> {
  if (response.body === null) return;
  let rest = '';
  for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + part).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}
