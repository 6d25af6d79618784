// Names that stand twice in well-formed JSON text, which JSON.parse does not tell; decodes nothing else.

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
