/** Removes results and runs, a step at a time; each step is a transaction that waits for a commit under way, and is waited for. */

import type { ResultRemoval } from '../result-store.ts';
import { RANK } from '../store-item.ts';
import { lockKey, type Query } from './connection.ts';
import type { Database } from './database.ts';

type OldRow = { readonly position: number; readonly stored_at_ms: number };

export function createResultRemoval(database: Database): ResultRemoval {
  /** Nothing is left up to here: what was removed need not be passed over again each time. Of this opening of the database alone. */
  let known = { opening: 0, through: 0 };
  const removedThrough = (): number => (known.opening === database.openings() ? known.through : 0);

  const oldest = (limit: number): Promise<OldRow[]> =>
    database.query<OldRow>(
      'SELECT position, stored_at_ms FROM results WHERE position > $1 ORDER BY position LIMIT $2',
      [removedThrough(), limit],
    );

  const writing = <T>(work: (query: Query) => Promise<T>): Promise<T> =>
    database.transaction(async (query) => {
      await query(`SELECT pg_advisory_xact_lock(${lockKey('writing', database.schema)})`);
      return work(query);
    });

  /** @param which the rows, as a condition on their position. */
  const remove = (which: string, values: readonly unknown[]): Promise<number> =>
    writing(async (query) => {
      const [row] = await query<{ removed: number }>(removal(which), values);
      return row?.removed ?? 0;
    });

  return {
    oldestStoredAtMs: async () => (await oldest(1))[0]?.stored_at_ms,
    async removeOldest(limit, beforeMs = Number.POSITIVE_INFINITY) {
      const opening = database.openings();
      const rows = await oldest(limit);
      const young = rows.findIndex((row) => row.stored_at_ms >= beforeMs);
      const through = (young === -1 ? rows : rows.slice(0, young)).at(-1)?.position ?? 0;
      if (through === 0) return { removed: 0, through };
      const removed = await remove('position > $1 AND position <= $2', [removedThrough(), through]);
      known = { opening, through };
      return { removed, through };
    },
    forgetRuns: ({ endedBeforeMs = 0, endedThrough = 0 }) =>
      writing(async (query) => {
        const forgotten = await query(
          `DELETE FROM runs WHERE (end_position <= $1 OR ended_at_ms < $2)
           AND NOT EXISTS (SELECT FROM results WHERE run_id = runs.id) RETURNING id`,
          [endedThrough, Math.floor(endedBeforeMs)],
        );
        return forgotten.length;
      }),
    clearSeries: (seriesId, through, limit) =>
      remove('position IN (SELECT position FROM results WHERE series_id = $1 AND position <= $2 LIMIT $3)', [
        seriesId,
        through,
        limit,
      ]),
  };
}

/** Deletes and discounts. */
const removal = (which: string): string => `
  WITH deleted AS (DELETE FROM results WHERE ${which} RETURNING series_id, rank, octet_length(record) AS bytes),
  sums AS (
    SELECT series_id, count(*) AS results, count(*) FILTER (WHERE rank = ${RANK.error}) AS errors, sum(bytes) AS bytes
    FROM deleted GROUP BY series_id
  ),
  discounted AS (
    UPDATE series SET results = series.results - sums.results, errors = series.errors - sums.errors
    FROM sums WHERE series.id = sums.series_id
  ),
  total AS (SELECT coalesce(sum(results), 0)::bigint AS results, coalesce(sum(bytes), 0)::bigint AS bytes FROM sums)
  UPDATE progress SET results = progress.results - total.results, record_bytes = record_bytes - total.bytes
  FROM total RETURNING total.results AS removed`;
