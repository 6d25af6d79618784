// Where the members and items of well-formed JSON text stand, so that values are passed on digit by digit; decodes nothing else.

/** A value's text: `from` inclusive, `to` exclusive. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * The members of the object that begins at or after `at`, by name; of a repeated name the last.
 * @param text well-formed JSON, as JSON.parse has found
 */
export function memberSpans(text: string, at: number): ReadonlyMap<string, Span> {
  const members = new Map<string, Span>();
  let i = afterSpace(text, afterSpace(text, at) + 1);
  while (text[i] !== '}') {
    const nameEnd = endOfString(text, i);
    const name = String(JSON.parse(text.slice(i, nameEnd)));
    const from = afterSpace(text, afterSpace(text, nameEnd) + 1);
    const to = endOfValue(text, from);
    members.set(name, { from, to });
    i = afterSeparator(text, to);
  }
  return members;
}

/**
 * A name that stands twice in the object that the text is, or in an object that is directly a member of it; null when none does.
 * @param text well-formed JSON
 */
export function repeatedName(text: string): string | null {
  return repeatedWithin(text, 0, 1);
}

function repeatedWithin(text: string, at: number, deeper: number): string | null {
  let i = afterSpace(text, at);
  if (text[i] !== '{') return null;
  const names = new Set<string>();
  i = afterSpace(text, i + 1);
  while (text[i] !== '}') {
    const nameEnd = endOfString(text, i);
    const name = String(JSON.parse(text.slice(i, nameEnd)));
    if (names.has(name)) return name;
    names.add(name);
    const from = afterSpace(text, afterSpace(text, nameEnd) + 1);
    const within = deeper > 0 ? repeatedWithin(text, from, deeper - 1) : null;
    if (within !== null) return within;
    i = afterSeparator(text, endOfValue(text, from));
  }
  return null;
}

/** The items of the array that begins at or after `at`. */
export function itemSpans(text: string, at: number): Span[] {
  const items: Span[] = [];
  let i = afterSpace(text, afterSpace(text, at) + 1);
  while (text[i] !== ']') {
    const to = endOfValue(text, i);
    items.push({ from: i, to });
    i = afterSeparator(text, to);
  }
  return items;
}

function afterSeparator(text: string, at: number): number {
  const i = afterSpace(text, at);
  return text[i] === ',' ? afterSpace(text, i + 1) : i;
}

function afterSpace(text: string, at: number): number {
  let i = at;
  while (text.charCodeAt(i) <= 0x20) i += 1;
  return i;
}

/** @param at where the opening quote stands */
function endOfString(text: string, at: number): number {
  let i = at + 1;
  for (;;) {
    const quote = text.indexOf('"', i);
    let slashes = 0;
    while (text[quote - 1 - slashes] === '\\') slashes += 1;
    if (slashes % 2 === 0) return quote + 1;
    i = quote + 1;
  }
}

function endOfValue(text: string, at: number): number {
  let depth = 0;
  let i = at;
  do {
    switch (text[i]) {
      case '"':
        i = endOfString(text, i);
        break;
      case '{':
      case '[':
        depth += 1;
        i += 1;
        break;
      case '}':
      case ']':
        depth -= 1;
        i += 1;
        break;
      default:
        // Within a structure one character at a time; alone, a number or a word up to what ends it.
        if (depth > 0) i += 1;
        else while (i < text.length && !/[\s,\]}]/.test(text[i] ?? '')) i += 1;
    }
  } while (depth > 0);
  return i;
}
