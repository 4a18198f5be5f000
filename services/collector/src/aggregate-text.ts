/**
 * The aggregate of a run, `{algorithm: {time key: data}}`, as text and in pieces, so that memory stays bounded for any number of
 * results. The bytes are those of core's `resultAggregate`: algorithms sorted, keys ascending as numbers, an error as `$error`, of
 * several results with one key the last.
 */

import { setImmediate } from 'node:timers/promises';
import { canonicalJson } from '@stream-infer/core/canonical-json';
import type { ResultRecord } from '@stream-infer/core/result-record';
import type { ResultQueries, Series, SeriesRow } from './result-queries.ts';
import type { TimeRange } from './time-range.ts';

const PAGE_ROWS = 1_000;

/** Yields the aggregate of those series in that range of time. */
export async function* aggregateText(
  store: ResultQueries,
  series: readonly Series[],
  range: TimeRange,
): AsyncGenerator<string, void, void> {
  yield '{';
  let separator = '';
  for (const { id, algorithm } of series) {
    let opened = false;
    for await (const rows of seriesPages(store, id, range)) {
      if (rows.length === 0) continue;
      yield `${opened ? ',' : `${separator}${JSON.stringify(algorithm)}:{`}${rows.map(member).join(',')}`;
      opened = true;
      separator = ',';
    }
    if (opened) yield '}';
  }
  yield '}';
}

/** Rows of a series without those that a later one with the same key makes void. */
async function* seriesPages(
  store: ResultQueries,
  seriesId: number,
  { fromMs, toMs }: TimeRange,
): AsyncGenerator<readonly SeriesRow[], void, void> {
  let after = { keyMs: fromMs, n: -1 };
  let held: SeriesRow | undefined;
  for (let done = false; !done; ) {
    const { rows, last } = await store.seriesRecords({ seriesId, after, toMs, limit: PAGE_ROWS });
    const all = held === undefined ? rows : [held, ...rows];
    // The last row waits for the next page, which may begin with its key.
    held = all.at(-1);
    after = held ?? after;
    yield all.filter((row, index) => index + 1 < all.length && all[index + 1]?.keyMs !== row.keyMs);
    done = last;
    await setImmediate();
  }
  if (held) yield [held];
}

function member({ record }: SeriesRow): string {
  const { key, data, error } = JSON.parse(record) as ResultRecord;
  return `${JSON.stringify(key)}:${canonicalJson(error === undefined ? data : { $error: error })}`;
}
