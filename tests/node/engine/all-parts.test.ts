// Every part that some folder has stands in the directory, so that none is missing when a page first needs it.

import { expect, test } from 'vitest';
import * as analyze from '../../../runtime/analyze/parts.ts';
import { Part } from '../../../runtime/base/part.ts';
import * as catalog from '../../../runtime/catalog/parts.ts';
import * as data from '../../../runtime/data/parts.ts';
import * as own from '../../../runtime/engine/own-parts.ts';
import * as expr from '../../../runtime/expr/parts.ts';
import * as formats from '../../../runtime/formats/parts.ts';
import * as functions from '../../../runtime/functions/parts.ts';
import * as operators from '../../../runtime/operators/parts.ts';
import * as plan from '../../../runtime/plan/parts.ts';
import * as ports from '../../../runtime/ports/parts.ts';
import * as sql from '../../../runtime/sql/parts.ts';
import * as task from '../../../runtime/task/parts.ts';

const FOLDERS = {
  analyze,
  catalog,
  data,
  own,
  expr,
  formats,
  functions,
  operators,
  plan,
  ports,
  sql,
  task,
};

test.each(Object.entries(FOLDERS))(
  'the parts of %s are fetched by loadParts',
  (_folder, exported) => {
    // The kernel's half for JSON is each host's to fetch: only the host knows where it lies.
    const parts = Object.values(exported).filter(
      (value) => value instanceof Part && value !== task.JSON_MODULE,
    ) as readonly Part<object>[];
    expect(parts.length).toBeGreaterThan(0);
    for (const part of parts) expect(typeof part.code).toBe('object');
  },
);
