// Options as callers without types give them, held against those that there are; knows none of them.

/**
 * What each option may be, as it stands in messages: words with ` | ` between them. Each is what `typeof` says (a number then is not below 0), a text
 * in quotes, or `{ name }`, an object with such a number.
 */
export type OptionKinds = Readonly<Record<string, string>>;

/**
 * Refuses what would be passed over, or taken for something else: options that do not exist, and values that an option does not take.
 * @param of whose options they are, for messages
 * @param needed one that must be given
 * @throws {TypeError} which names the option and what there is
 */
export function checkOptions<Kinds extends OptionKinds>(
  of: string,
  given: object,
  kinds: Kinds,
  needed?: keyof Kinds & string,
): void {
  if (!isOf('object', given)) throw new TypeError(`${of} takes an object, not ${told(given)}`);
  for (const [name, value] of Object.entries(given)) {
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (kind === undefined) {
      const known = Object.keys(kinds).join(', ');
      throw new TypeError(`${of} has no option '${name}', but ${known}`);
    }
    if (value !== undefined) checkOption(of, name, value, kind);
  }
  if (needed === undefined) return;
  checkOption(of, needed, (given as Record<string, unknown>)[needed], kinds[needed] as string);
}

/** @throws {TypeError} where the value is not one of those */
export function checkOption(of: string, name: string, value: unknown, kind: string): void {
  if (kind.split(' | ').some((one) => isOf(one, value))) return;
  throw new TypeError(`${of}: ${name} is ${kind}, not ${told(value)}`);
}

function isOf(kind: string, value: unknown): boolean {
  if (kind.startsWith("'")) return kind === told(value);
  const inner = /^\{ (\w+) \}$/.exec(kind)?.[1];
  if (inner !== undefined) return isOf('number', (Object(value) as Record<string, unknown>)[inner]);
  if (kind === 'null') return value === null;
  if (typeof value === 'number') return kind === 'number' && value >= 0;
  return typeof value === kind && value !== null;
}

function told(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  return typeof value === 'number' || value === null ? String(value) : typeof value;
}
