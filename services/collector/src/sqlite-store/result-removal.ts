/**
 * Takes results out of the store, in steps that hold up the rest of the process briefly, with the counts kept true. A run that
 * ended is forgotten when nothing of it is left.
 */

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ResultRemoval } from '../result-store.ts';
import { RANK } from '../store-item.ts';
import { transaction } from './transaction.ts';

type OldRow = { readonly position: number; readonly stored_at_ms: number };
type DeletedRow = { readonly series_id: number; readonly rank: number };

export function createResultRemoval(database: DatabaseSync): ResultRemoval {
  const sql = prepare(database);

  /** Deletes and discounts in one transaction. */
  const remove = (deletion: StatementSync, ...parameters: number[]): number =>
    transaction(database, () => {
      const deleted = deletion.all(...parameters) as DeletedRow[];
      for (const [seriesId, rows] of Map.groupBy(deleted, (row) => row.series_id))
        sql.discount.run(rows.length, rows.filter((row) => row.rank === RANK.error).length, seriesId);
      return deleted.length;
    });

  return {
    oldestStoredAtMs: async () => (sql.oldest.get(1) as OldRow | undefined)?.stored_at_ms,
    async removeOldest(limit, beforeMs = Number.POSITIVE_INFINITY) {
      const rows = sql.oldest.all(limit) as OldRow[];
      const young = rows.findIndex((row) => row.stored_at_ms >= beforeMs);
      const through = (young === -1 ? rows : rows.slice(0, young)).at(-1)?.position ?? 0;
      return { removed: through === 0 ? 0 : remove(sql.deleteThrough, through), through };
    },
    forgetRuns: async ({ endedBeforeMs = 0, endedThrough = 0 }) =>
      Number(sql.forgetRuns.run(endedThrough, endedBeforeMs).changes),
    clearSeries: async (seriesId, through, limit) => remove(sql.deleteFromSeries, seriesId, through, limit),
  };
}

const prepare = (database: DatabaseSync) => ({
  oldest: database.prepare('SELECT position, stored_at_ms FROM results ORDER BY position LIMIT ?'),
  deleteThrough: database.prepare('DELETE FROM results WHERE position <= ? RETURNING series_id, rank'),
  deleteFromSeries: database.prepare(
    `DELETE FROM results WHERE position IN (SELECT position FROM results WHERE series_id = ? AND position <= ? LIMIT ?)
     RETURNING series_id, rank`,
  ),
  discount: database.prepare('UPDATE series SET results = results - ?, errors = errors - ? WHERE id = ?'),
  forgetRuns: database.prepare(
    `DELETE FROM runs WHERE (end_position <= ? OR ended_at_ms < ?)
     AND NOT EXISTS (SELECT 1 FROM results WHERE run_id = runs.id)`,
  ),
});
