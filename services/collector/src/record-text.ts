/** Whole records of a run in the order of n, then algorithm: as a page for a cursor, or all of them as NDJSON, in pieces. */

import { setImmediate } from 'node:timers/promises';
import { formatCursor } from './record-cursor.ts';
import type { RecordPlace, ResultQueries } from './result-queries.ts';

export type RecordQuery = {
  readonly runId: number;
  readonly algorithm?: string;
  readonly after?: RecordPlace;
};

const PAGE_ROWS = 1_000;
const ANSWER_CHARACTERS = 2 ** 20;

/** `{"cursor": …, "records": […]}`: at most `limit` records, fewer where they are large; the cursor is null at the end. */
export async function recordPage(
  store: ResultQueries,
  query: RecordQuery & { readonly limit: number },
): Promise<string> {
  const { rows, last } = await store.records({ ...query, maxCharacters: ANSWER_CHARACTERS });
  const end = rows.at(-1);
  const cursor = last || end === undefined ? null : formatCursor(end);
  return `{"cursor":${JSON.stringify(cursor)},"records":[${rows.map((row) => row.record).join(',')}]}`;
}

/** One record a line; stops after `limit` where it is given. */
export async function* recordLines(
  store: ResultQueries,
  { limit = Number.POSITIVE_INFINITY, ...query }: RecordQuery & { readonly limit?: number },
): AsyncGenerator<string, void, void> {
  let { after } = query;
  let left = limit;
  for (let done = false; !done; ) {
    const { rows, last } = await store.records({
      ...query,
      ...(after && { after }),
      limit: Math.min(left, PAGE_ROWS),
    });
    if (rows.length > 0) yield rows.map((row) => `${row.record}\n`).join('');
    after = rows.at(-1) ?? after;
    left -= rows.length;
    done = last || left === 0;
    await setImmediate();
  }
}
