/** Where a page of records ended, as the API writes it: clients hand it back as it is. */

import type { RecordPlace } from './result-queries.ts';

export const CURSOR_PATTERN = '^[0-9]{1,15}\\.[A-Za-z0-9_-]{1,64}$';

/** The same in words. */
export const CURSOR_RULE = 'must be what a page has told as its next cursor';

export const formatCursor = ({ n, algorithm }: RecordPlace): string => `${n}.${algorithm}`;

/** @param cursor of the pattern */
export function parseCursor(cursor: string): RecordPlace {
  const dot = cursor.indexOf('.');
  return { n: Number(cursor.slice(0, dot)), algorithm: cursor.slice(dot + 1) };
}
