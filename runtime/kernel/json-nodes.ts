// The columns that the kernel decodes as the tree of members that they are found by; knows no memory.

import type { SchemaColumn } from '../data/schema.ts';
import type { Type } from '../data/type.ts';
import { isKernelType } from '../formats/kernel-types.ts';

/** A column to be decoded: the name that its member has, or the path that leads to it, and the type. */
export interface DecodedColumn extends Pick<SchemaColumn, 'name' | 'type' | 'path'> {
  /** true: its values are those in the kernel's memory, good until the next chunk begins. */
  readonly isLent?: boolean | undefined;
}

/** Kind of a node whose value is given as it is written. */
export const ANY = 'ANY';

/** A member of a record that is looked at, or the field of one. */
export interface DecodedNode {
  readonly name: string;
  /** STRUCT: others are its fields. */
  readonly kind: Type['kind'] | typeof ANY;
  /** The node that it is a field of, plus 1; 0: it is a member of the record. */
  readonly parent: number;
}

/** The nodes, parents before their fields, and by column which of them is its own. */
export function nodesOf(columns: readonly DecodedColumn[]): {
  readonly nodes: readonly DecodedNode[];
  readonly numbers: readonly number[];
} {
  const nodes: DecodedNode[] = [];
  const numbers = columns.map(({ name, type, path }) => {
    const [own = name, ...outer] = (path ?? [name]).toReversed();
    let parent = 0;
    for (const step of outer.toReversed()) {
      const known = nodes.findIndex(
        (node) => node.parent === parent && node.name === step && node.kind === 'STRUCT',
      );
      parent = known < 0 ? nodes.push({ name: step, kind: 'STRUCT', parent }) : known + 1;
    }
    const kind = isKernelType(type) ? type.kind : ANY;
    return nodes.push({ name: own, kind, parent }) - 1;
  });
  return { nodes, numbers };
}

/** Which of the nodes in that object a name means: the one of that very name, else of the upper-cased name; -1: none. */
export function columnNamed(nodes: readonly DecodedNode[], parent: number, name: string): number {
  const called = (due: string): number =>
    nodes.findIndex((node) => node.parent === parent && node.name === due);
  const exact = called(name);
  return exact >= 0 ? exact : called(name.toUpperCase());
}
