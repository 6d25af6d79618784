// Reads and writes JSON with its numbers as they are spelt and comments allowed; knows no case.

/** A number as it is written: `1.0` and `1.00` are two. */
export class JsonNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }

  /** true: neither fraction nor exponent. */
  get isInteger(): boolean {
    return !/[.eE]/.test(this.text);
  }

  /** The digits and how many of them stand behind the point; the scale is negative for `1e3`. */
  get decimal(): { readonly unscaled: bigint; readonly scale: number } {
    const [, digits = '0', fraction = '', exponent = '0'] =
      /^(-?\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(this.text) ?? [];
    return { unscaled: BigInt(digits + fraction), scale: fraction.length - Number(exponent) };
  }

  /** Without its fraction. */
  get truncated(): bigint {
    const { unscaled, scale } = this.decimal;
    return scale > 0 ? unscaled / 10n ** BigInt(scale) : unscaled * 10n ** BigInt(-scale);
  }
}

export type Json = null | boolean | string | JsonNumber | readonly Json[] | JsonObject;

/** Members in their order; of two with one name the last counts. */
export type JsonObject = ReadonlyMap<string, Json>;

const SKIPPED = /(?:[\s\uFEFF]+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y;
const STRING = /"(?:[^"\\]|\\.)*"/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;

/** @throws {SyntaxError} with the line */
export function readJson(text: string): Json {
  const reader = new Reader(text);
  const value = reader.value();
  reader.end();
  return value;
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  #take(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? null;
    if (found !== null) this.#at += found.length;
    return found;
  }

  #peek(): string {
    this.#take(SKIPPED);
    return this.#text.charAt(this.#at);
  }

  #fail(): never {
    const line = this.#text.slice(0, this.#at).split('\n').length;
    throw new SyntaxError(`line ${line}: '${this.#text.charAt(this.#at)}' is no JSON here`);
  }

  #expect(character: string): void {
    if (this.#peek() !== character) this.#fail();
    this.#at += 1;
  }

  end(): void {
    if (this.#peek() !== '') this.#fail();
  }

  value(): Json {
    switch (this.#peek()) {
      case '{':
        return this.#object();
      case '[':
        return this.#array();
      case '"':
        return this.#string();
      default: {
        const number = this.#take(NUMBER);
        if (number !== null) return new JsonNumber(number);
        const word = this.#take(WORD) ?? this.#fail();
        return word === 'null' ? null : word === 'true';
      }
    }
  }

  #string(): string {
    const quoted = this.#take(STRING) ?? this.#fail();
    return JSON.parse(quoted) as string;
  }

  #array(): Json[] {
    const items: Json[] = [];
    this.#list('[', ']', () => items.push(this.value()));
    return items;
  }

  #object(): JsonObject {
    const members = new Map<string, Json>();
    this.#list('{', '}', () => {
      this.#peek();
      const name = this.#string();
      this.#expect(':');
      members.set(name, this.value());
    });
    return members;
  }

  #list(open: string, close: string, item: () => void): void {
    this.#expect(open);
    if (this.#peek() !== close) {
      for (;;) {
        item();
        if (this.#peek() !== ',') break;
        this.#at += 1;
      }
    }
    this.#expect(close);
  }
}

/** JSON text without white space, numbers as they were spelt. */
export function writeJson(value: Json): string {
  if (value instanceof JsonNumber) return value.text;
  if (isArray(value)) return `[${value.map(writeJson).join(',')}]`;
  if (isObject(value)) {
    const members = [...value].map(([name, item]) => `${JSON.stringify(name)}:${writeJson(item)}`);
    return `{${members.join(',')}}`;
  }
  return JSON.stringify(value);
}

export function isArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

export function isObject(value: Json | undefined): value is JsonObject {
  return value instanceof Map;
}
