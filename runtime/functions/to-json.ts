// A value of the language as JSON for people and for functions: times as ISO text, members sorted; knows no function.

import { ByteWriter, decodeUtf8 } from '../base/bytes.ts';
import { writeJsonString } from '../data/json-string.ts';
import { writeJson } from '../data/json-text.ts';
import type { Type, Value } from '../data/type.ts';
import { isItems } from '../data/value.ts';
import { castOf } from '../expr/cast.ts';

const TEXT: Type = { kind: 'STRING' };

/** Of the one text that is written at a time. */
const WRITER = new ByteWriter();

/** A member of an object. */
interface Member {
  readonly name: string;
  readonly type: Type;
  readonly value: Value;
}

/** The JSON text of a value, `null` for a null; fields of a STRUCT and keys of a MAP in the order of their UTF-16 units. */
export function jsonOf(type: Type, value: Value): string {
  WRITER.truncate(0);
  write(WRITER, type, value);
  return decodeUtf8(WRITER.buffer, 0, WRITER.position);
}

function write(to: ByteWriter, type: Type, value: Value): void {
  if (value === null) {
    to.utf8('null');
    return;
  }
  switch (type.kind) {
    case 'TIME':
    case 'DATE':
    case 'TIMESTAMP':
      writeJsonString(to, castOf(type, TEXT)(value) as string);
      return;
    case 'ARRAY':
      to.utf8('[');
      (value as readonly Value[]).forEach((item, index) => {
        if (index > 0) to.utf8(',');
        write(to, type.item, item);
      });
      to.utf8(']');
      return;
    case 'STRUCT':
      writeMembers(
        to,
        type.fields.map((field, index) => ({
          ...field,
          value: isItems(value) ? (value[index] ?? null) : null,
        })),
      );
      return;
    case 'MAP': {
      const nameOf = type.key.kind === 'STRING' ? (key: Value) => key : castOf(type.key, TEXT);
      const entries = [...(value as ReadonlyMap<Value, Value>)];
      writeMembers(
        to,
        entries.map(([key, item]) => ({
          name: nameOf(key) as string,
          type: type.value,
          value: item,
        })),
      );
      return;
    }
    default:
      writeJson(to, type, value);
  }
}

function writeMembers(to: ByteWriter, members: Member[]): void {
  let separator = '{';
  for (const { name, type, value } of members.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    to.utf8(separator);
    writeJsonString(to, name);
    to.utf8(':');
    write(to, type, value);
    separator = ',';
  }
  to.utf8(members.length === 0 ? '{}' : '}');
}
