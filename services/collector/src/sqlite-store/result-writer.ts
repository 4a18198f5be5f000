/** Takes what comes from RESULTS into the SQLite file, a statement for each item. */

import type { DatabaseSync } from 'node:sqlite';
import type { ResultWriter, StoreOutcome } from '../result-store.ts';
import { type EndItem, RANK, type ResultItem, type StoreItem } from '../store-item.ts';
import { committedProgress, positionOf, resumeProgress, type StoreProgress } from '../store-progress.ts';
import { transaction } from './transaction.ts';

type Counts = { results: number; errors: number };

export function createResultWriter(database: DatabaseSync): ResultWriter {
  const sql = prepare(database);
  let progress = sql.readProgress.get() as StoreProgress;

  const saveProgress = (next: StoreProgress): void => void sql.saveProgress.run(next.created, next.base, next.sequence);

  /** Ids of the runs and series that one batch speaks of. */
  const createPlaces = () => {
    const runs = new Map<string, number>();
    const series = new Map<string, number>();
    const runOf = ({ stream, run, sequence }: StoreItem): number => {
      const known = runs.get(`${stream}.${run}`);
      if (known !== undefined) return known;
      sql.insertRun.run(stream, run, positionOf(progress, sequence));
      const { id } = sql.findRun.get(stream, run) as { id: number };
      runs.set(`${stream}.${run}`, id);
      return id;
    };
    const seriesOf = (item: ResultItem, runId: number): number => {
      const key = `${runId}.${item.algorithm}`;
      const known = series.get(key);
      if (known !== undefined) return known;
      sql.insertSeries.run(runId, item.algorithm);
      const { id } = sql.findSeries.get(runId, item.algorithm) as { id: number };
      series.set(key, id);
      return id;
    };
    return { runOf, seriesOf };
  };

  const storeResult = (item: ResultItem, runId: number, seriesId: number, nowMs: number): StoreOutcome => {
    const { n, keyMs, rank, text } = item;
    const position = positionOf(progress, item.sequence);
    if (sql.insertResult.run(position, runId, seriesId, n, keyMs, rank, nowMs, text).changes === 1) return 'stored';
    if (rank === RANK.error) return 'duplicate';
    return sql.raiseResult.run(position, rank, nowMs, text, runId, n, seriesId, rank).changes === 1
      ? 'replaced'
      : 'duplicate';
  };

  const storeEnd = (item: EndItem, runId: number, nowMs: number): StoreOutcome =>
    sql.endRun.run(positionOf(progress, item.sequence), nowMs, item.text, runId).changes === 1 ? 'stored' : 'duplicate';

  return {
    async resume(stream) {
      const next = resumeProgress(progress, stream);
      if (next !== progress) saveProgress(next);
      progress = next;
      return progress.sequence + 1;
    },
    async commit({ items, sequence }, nowMs) {
      const next = committedProgress(progress, sequence);
      const outcomes = transaction(database, () => {
        const { runOf, seriesOf } = createPlaces();
        const counts = new Map<number, Counts>();
        const store = (item: StoreItem): StoreOutcome => {
          const runId = runOf(item);
          if (item.kind === 'end') return storeEnd(item, runId, nowMs);
          const seriesId = seriesOf(item, runId);
          const outcome = storeResult(item, runId, seriesId, nowMs);
          count(counts, seriesId, item, outcome);
          return outcome;
        };
        const stored = items.map(store);
        for (const [seriesId, { results, errors }] of counts) sql.addCounts.run(results, errors, seriesId);
        saveProgress(next);
        return stored;
      });
      progress = next;
      return outcomes;
    },
    close: async () => undefined,
  };
}

function count(counts: Map<number, Counts>, seriesId: number, { rank }: ResultItem, outcome: StoreOutcome): void {
  if (outcome === 'duplicate') return;
  const sum = counts.get(seriesId) ?? { results: 0, errors: 0 };
  counts.set(seriesId, sum);
  if (outcome === 'stored') sum.results += 1;
  if (outcome === 'stored' && rank === RANK.error) sum.errors += 1;
  // Only an error can be replaced.
  if (outcome === 'replaced') sum.errors -= 1;
}

const prepare = (database: DatabaseSync) => ({
  readProgress: database.prepare('SELECT created, base, sequence FROM progress'),
  saveProgress: database.prepare('UPDATE progress SET created = ?, base = ?, sequence = ?'),
  insertRun: database.prepare('INSERT INTO runs (stream, run, first_position) VALUES (?, ?, ?) ON CONFLICT DO NOTHING'),
  findRun: database.prepare('SELECT id FROM runs WHERE stream = ? AND run = ?'),
  insertSeries: database.prepare('INSERT INTO series (run_id, algorithm) VALUES (?, ?) ON CONFLICT DO NOTHING'),
  findSeries: database.prepare('SELECT id FROM series WHERE run_id = ? AND algorithm = ?'),
  insertResult: database.prepare(
    `INSERT INTO results (position, run_id, series_id, n, key_ms, rank, stored_at_ms, record)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run_id, n, series_id) DO NOTHING`,
  ),
  raiseResult: database.prepare(
    `UPDATE results SET position = ?, rank = ?, stored_at_ms = ?, record = ?
     WHERE run_id = ? AND n = ? AND series_id = ? AND rank < ?`,
  ),
  addCounts: database.prepare('UPDATE series SET results = results + ?, errors = errors + ? WHERE id = ?'),
  endRun: database.prepare('UPDATE runs SET end_position = ?, ended_at_ms = ?, end = ? WHERE id = ? AND end IS NULL'),
});
