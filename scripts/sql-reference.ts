// Writes the parts of docs/sql that follow from the code: functions, types and properties, as Markdown; knows no file system.

import {
  OF_THE_HOST,
  SESSION_PROPERTIES,
  type Values,
  WITHOUT_EFFECT,
} from '../runtime/analyze/session-properties.ts';
import { existing } from '../runtime/base/assert.ts';
import { DECIMAL_DIGITS_MAX } from '../runtime/base/limits.ts';
import { ALLOWED } from '../runtime/catalog/all-properties.ts';
import type { PropertiesOf } from '../runtime/catalog/properties.ts';
import { SESSION_MEANINGS } from '../runtime/analyze/session-meanings.ts';
import { WITH_MEANINGS } from '../runtime/catalog/property-meanings.ts';
import { BUILT_IN } from '../runtime/catalog/types.ts';
import {
  array,
  BIGINT,
  BOOLEAN,
  BYTES,
  DATE,
  decimal,
  DOUBLE,
  INTEGER,
  map,
  STRING,
  struct,
  TIME,
  TIMESTAMP,
  type Type,
} from '../runtime/data/type.ts';
import { castBetween } from '../runtime/expr/cast.ts';
import { builtinRegistry } from '../runtime/functions/builtins.ts';
import type { Overload, Parameter, Pattern } from '../runtime/functions/registry.ts';
import { sampleOf, shownResult, shownType } from '../runtime/functions/shown-types.ts';

const GENERATED = '<!-- Written by `npm run docs:sql`; change the code, not this file. -->';

const code = (text: string): string => `\`${text}\``;

/** A table in Markdown. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function page(title: string, ...parts: readonly string[]): string {
  return `${[`# ${title}`, GENERATED, ...parts].join('\n\n')}\n`;
}

/** Names of fields as they are. */
const plain = (type: string): string => type.replaceAll('`', '');

function shownPattern(pattern: Pattern): string {
  switch (pattern.pattern) {
    case 'unit':
      return 'unit of time';
    case 'lambda': {
      const parameters = pattern.parameters.map(shownPattern).join(', ');
      return `(${parameters}) => ${shownPattern(pattern.result)}`;
    }
    default:
      return plain(shownType(sampleOf(pattern)));
  }
}

function shownParameter({ name, pattern, variadic, constant }: Parameter): string {
  const type = shownPattern(pattern);
  return `${name} ${type}${variadic ? '...' : ''}${constant === true ? ' constant' : ''}`;
}

function signature(overload: Overload): string {
  const parameters = overload.parameters.map(shownParameter).join(', ');
  return `${overload.name}(${parameters}) -> ${plain(shownResult(overload))}`;
}

/** What becomes of nulls, as far as the declaration says so. */
function nullRule(overloads: readonly Overload[]): string {
  const rules = overloads.map((overload) => {
    if (overload.kind === 'aggregate') return 'as described';
    if (overload.parameters.length === 0) return 'takes nothing';
    if (!overload.nullPropagating) return 'as described';
    return overload.kind === 'table'
      ? 'a null argument gives no rows'
      : 'a null argument gives null';
  });
  const different = [...new Set(rules.filter((rule) => rule !== 'takes nothing'))];
  return different.length === 0 ? '' : `Nulls: ${different.join('; ')}.`;
}

function functionText(name: string, overloads: readonly Overload[]): string {
  const descriptions = [...new Set(overloads.map(({ description }) => description))];
  const settings = overloads.flatMap((overload) =>
    overload.kind === 'aggregate' ? (overload.settings ?? []) : [],
  );
  const set = [...new Set(settings)].map(code);
  return [
    `### ${name}`,
    `\`\`\`text\n${overloads.map(signature).join('\n')}\n\`\`\``,
    descriptions.join(' '),
    ...[nullRule(overloads), set.length === 0 ? '' : `Configured by ${set.join(', ')}.`].filter(
      (part) => part !== '',
    ),
  ].join('\n\n');
}

/** Headings of the registry's categories, in the order of the page. */
const CATEGORIES: ReadonlyMap<string, string> = new Map([
  ['AGGREGATE', 'Aggregate functions'],
  ['TABLE', 'Table functions'],
  ['CONDITIONAL', 'Nulls and choices'],
  ['MATHEMATICAL', 'Numbers'],
  ['STRING', 'Texts and bytes'],
  ['REGULAR EXPRESSION', 'Regular expressions'],
  ['URL', 'URLs'],
  ['JSON', 'JSON in texts'],
  ['DATE_TIME', 'Dates and times'],
  ['ARRAY', 'Arrays'],
  ['MAP', 'Maps'],
  ['LAMBDA', 'Functions with lambdas'],
  ['CONVERSIONS', 'Numbers in bytes'],
  ['OTHER', 'Others'],
]);

function functionsPage(): string {
  const registry = builtinRegistry();
  const byCategory = new Map<string, string[]>([...CATEGORIES.keys()].map((key) => [key, []]));
  for (const name of registry.names.toSorted()) {
    const overloads = registry.overloads(name);
    const names = byCategory.get(overloads[0]?.category ?? '');
    if (names === undefined) throw new Error(`${name} has no category of the page`);
    names.push(functionText(name, overloads));
  }
  const link = (heading: string): string =>
    `[${heading}](#${heading.toLowerCase().replaceAll(' ', '-')})`;
  return page(
    'Functions',
    `${registry.names.length} functions. \`T\`, \`K\`, \`V\`, \`R\`, \`S\` and \`U\` stand for any type, the same letter for the same type; \`...\` for any number of arguments, also none; \`constant\` for a literal that the statement fixes. A number is widened to what a parameter wants (INTEGER to BIGINT, to DECIMAL, to DOUBLE), but not for an aggregate. A call that fits several signatures only after widening is refused. An aggregate of a number that is called with nothing or with \`*\` is of ROWTIME: \`AVG()\`, \`MAX(*)\`. A scalar function that fails makes its column null; the reason stands in the processing log.`,
    [...CATEGORIES]
      .map(([key, heading]) => `${link(heading)} (${byCategory.get(key)?.length})`)
      .join(' · '),
    ...[...CATEGORIES].flatMap(([key, heading]) => [
      `## ${heading}`,
      ...(byCategory.get(key) ?? []),
    ]),
  );
}

const KINDS: readonly (readonly [name: string, type: Type, values: string, json: string])[] = [
  ['BOOLEAN', BOOLEAN, 'true or false', '`true`, `false`'],
  ['INTEGER', INTEGER, '32 bits with sign', 'a whole number'],
  ['BIGINT', BIGINT, '64 bits with sign', 'a whole number, all its digits kept'],
  [
    'DOUBLE',
    DOUBLE,
    '64-bit floating point, NaN and the infinities too',
    'a number, or `"NaN"`, `"Infinity"`, `"-Infinity"`',
  ],
  [
    'DECIMAL(p, s)',
    decimal(18, 4),
    `exact, p digits in all (1 to ${DECIMAL_DIGITS_MAX}), s of them behind the point`,
    'a number with s places, all its digits kept',
  ],
  ['STRING', STRING, 'Unicode text', 'a text'],
  ['BYTES', BYTES, 'any bytes', 'a text in Base64'],
  ['TIME', TIME, 'a time of the day in milliseconds', 'milliseconds of the day'],
  ['DATE', DATE, 'a day', 'days since 1970-01-01'],
  ['TIMESTAMP', TIMESTAMP, 'an instant in milliseconds', 'milliseconds since 1970-01-01T00:00Z'],
  ['ARRAY<T>', array(STRING), 'items of one type, nulls too', 'an array'],
  [
    'MAP<K, V>',
    map(STRING, STRING),
    'values by keys, in the order in which they came',
    'an object',
  ],
  ['STRUCT<name T, ...>', struct([{ name: 'A', type: STRING }]), 'fields by name', 'an object'],
];

/** The other names of a type. */
function aliases(type: Type, name: string): string {
  const names = [...BUILT_IN].filter(([other, of]) => of === type && other !== name);
  return names.map(([other]) => other).join(', ');
}

function typesPage(): string {
  const rows = KINDS.map(([name, type, values, json]) => [
    code(name),
    aliases(type, name),
    values,
    json,
  ]);
  const casts = KINDS.map(([name, from]) => {
    const targets = KINDS.filter(([other, to]) => other !== name && castBetween(from, to) !== null);
    return [code(name), targets.map(([other]) => code(other)).join(', ')];
  });
  return page(
    'Types',
    'Every type has the value null beside its own. VARCHAR(n) and STRING(n) are read, and n means nothing.',
    table(['type', 'also written', 'values', 'in JSON'], rows),
    '## Custom types\n\n`CREATE TYPE name AS type` gives a type a name, which later statements use in columns and casts; it is another spelling and no type of its own. `DROP TYPE name` forgets the name, and what was made with it stays.',
    '## What CAST takes',
    'Numbers narrow as in Java: whole numbers wrap, a DOUBLE is cut and saturates, a DECIMAL is cut. What becomes a DECIMAL is rounded half up and must fit. Text that is no value of the type makes null and stands in the processing log. Collections are cast item by item.',
    table(['from', 'to'], casts),
    '## Literals',
    table(
      ['literal', 'type'],
      [
        ["`'text'`, `'it''s'`", 'STRING; a DATE, TIME or TIMESTAMP beside a value of that type'],
        ['`42`', 'INTEGER; BIGINT beyond 32 bits'],
        ['`1.50`', 'DECIMAL(3, 2)'],
        ['`1e3`', 'DOUBLE'],
        ['`TRUE`, `FALSE`', 'BOOLEAN'],
        [
          "`DATE '2026-01-31'`, `TIME '10:00:00'`, `TIMESTAMP '2026-01-31T10:00:00'`",
          'the named type',
        ],
        ['`NULL`', 'any type'],
        ['`ARRAY[a, b]`, `MAP(k := v)`, `STRUCT(a := x)`', 'the collection of what stands in it'],
      ],
    ),
  );
}

function valuesText(values: Values): string {
  switch (values) {
    case 'flag':
      return '`true`, `false`';
    case 'whole':
      return 'a whole number';
    case 'text':
      return 'text';
    default:
      return values.map(code).join(', ');
  }
}

const STATEMENTS_OF: Readonly<Record<PropertiesOf, string>> = {
  create: 'CREATE',
  createAs: 'CREATE ... AS',
  insert: 'INSERT INTO ... SELECT',
};

function propertiesPage(): string {
  const list = (names: ReadonlySet<string>): string => [...names].toSorted().map(code).join(', ');
  const withRows = Object.entries(WITH_MEANINGS).map(([name, meaning]) => {
    const allowed = Object.entries(ALLOWED).filter(([, names]) => names.includes(name));
    const statements = allowed.map(([of]) => STATEMENTS_OF[of as PropertiesOf]);
    return [code(name), statements.join(', '), meaning];
  });
  return page(
    'Properties',
    '## Of WITH',
    table(['property', 'of', 'meaning'], withRows),
    '## Of a session',
    "`SET 'name' = 'value'` holds for the session, `UNSET 'name'` takes it back, `ALTER SYSTEM 'name' = 'value'` holds for all sessions that do not set it. Kafka Streams' properties may be prefixed with `ksql.streams.`.",
    table(
      ['property', 'values', 'meaning'],
      Object.entries(SESSION_MEANINGS).map(([name, meaning]) => [
        code(name),
        valuesText(existing(SESSION_PROPERTIES.get(name), 'property')),
        meaning,
      ]),
    ),
    `\`ksql.functions.*\` configure functions; [functions.md](functions.md) names those of each.`,
    '## Without effect',
    `These are of ksqlDB, Kafka Streams and Kafka's clients and change no result: they are kept and shown. ${list(WITHOUT_EFFECT)}.`,
    '## Of the host',
    `These are given to a host when it starts, and no session sets them. ${list(OF_THE_HOST)}.`,
  );
}

/** The generated pages of docs/sql by file name. Every part must have been fetched (engine/parts.ts). */
export function sqlReference(): ReadonlyMap<string, string> {
  return new Map([
    ['functions.md', functionsPage()],
    ['types.md', typesPage()],
    ['properties.md', propertiesPage()],
  ]);
}
