// Every part that some folder has stands in the directory, so that none is missing when a page first needs it.

import { expect, test } from 'vitest';
import { PARTS_BY_FOLDER } from '../../support/taken-parts.ts';

test.each(PARTS_BY_FOLDER)('the parts of %s are fetched by loadParts', (_folder, parts) => {
  expect(parts.length).toBeGreaterThan(0);
  for (const part of parts) expect(typeof part.code).toBe('object');
});
