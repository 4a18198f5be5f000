/** Reads the SQLite file: a page is read while its texts are small enough, and what is behind it stays unread. */

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type {
  EventRow,
  Page,
  RecordRow,
  ResultQueries,
  RunPlace,
  RunSummary,
  Series,
  SeriesRow,
} from '../result-queries.ts';
import { positionOf, type StoreProgress } from '../store-progress.ts';

/** Of a page, unless told: small enough for V8's nursery, where garbage is cheap. */
const PAGE_CHARACTERS = 32 * 1024;

export function createResultQueries(database: DatabaseSync): ResultQueries {
  const sql = prepare(database);
  const runOf = ({ stream, run }: RunPlace) => sql.run.get(stream, run) as RunSummary | undefined;
  return {
    async progress() {
      const progress = sql.progress.get() as Pick<StoreProgress, 'base' | 'sequence'>;
      return { sequence: progress.sequence, position: positionOf(progress, progress.sequence) };
    },
    streams: async () => sql.streams.all() as RunSummary[],
    runs: async (stream) => sql.runs.all(stream) as RunSummary[],
    run: async (stream, run) =>
      run === undefined ? (sql.newestRun.get(stream) as RunSummary | undefined) : runOf({ stream, run }),
    runsOf: async (places) => places.flatMap((place) => runOf(place) ?? []),
    series: async (runId, algorithm = '') => sql.series.all(runId, algorithm, algorithm) as Series[],
    async records({ runId, algorithm = '', after, limit, maxCharacters }) {
      const { n, algorithm: name } = after ?? { n: -1, algorithm: '' };
      const parameters = [runId, n, n, name, algorithm, algorithm];
      return page<RecordRow>(sql.records, parameters, limit, (row) => row.record, maxCharacters);
    },
    seriesRecords: async ({ seriesId, after, toMs, limit }) =>
      page<SeriesRow>(sql.seriesRecords, [seriesId, after.keyMs, after.n, toMs], limit, (row) => row.record),
    newest: async (seriesId) => (sql.newest.get(seriesId) as { record: string } | undefined)?.record,
    events: async ({ after, stream = '', algorithm = '', limit }) =>
      page<EventRow>(
        sql.events,
        [stream, stream, algorithm, algorithm, after, stream, stream, after],
        limit,
        (row) => row.text ?? '',
      ),
  };
}

/** Reads rows until there are `limit` or their texts fill a page. The statement's last parameter is the limit. */
function page<Row>(
  statement: StatementSync,
  parameters: readonly (string | number)[],
  limit: number,
  textOf: (row: Row) => string,
  maxCharacters = PAGE_CHARACTERS,
): Page<Row> {
  const rows: Row[] = [];
  let characters = 0;
  // One row more than wanted tells whether there is another page.
  for (const row of statement.iterate(...parameters, limit + 1) as Iterable<Row>) {
    if (rows.length === limit || characters > maxCharacters) return { rows, last: false };
    rows.push(row);
    characters += textOf(row).length;
  }
  return { rows, last: true };
}

const SUMMARY = `
  SELECT runs.id, stream, run, end,
    coalesce((SELECT sum(results) FROM series WHERE run_id = runs.id), 0) AS results,
    coalesce((SELECT sum(errors) FROM series WHERE run_id = runs.id), 0) AS errors
  FROM runs`;

const prepare = (database: DatabaseSync) => ({
  progress: database.prepare('SELECT base, sequence FROM progress'),
  streams: database.prepare(
    `${SUMMARY} WHERE first_position = (SELECT max(first_position) FROM runs AS all_runs WHERE all_runs.stream = runs.stream)
     ORDER BY stream`,
  ),
  runs: database.prepare(`${SUMMARY} WHERE stream = ? ORDER BY first_position DESC`),
  newestRun: database.prepare(`${SUMMARY} WHERE stream = ? ORDER BY first_position DESC LIMIT 1`),
  run: database.prepare(`${SUMMARY} WHERE stream = ? AND run = ?`),
  series: database.prepare(
    `SELECT id, algorithm FROM series WHERE run_id = ? AND results > 0 AND (? = '' OR algorithm = ?) ORDER BY algorithm`,
  ),
  records: database.prepare(
    `SELECT n, algorithm, record FROM results JOIN series ON series.id = results.series_id
     WHERE results.run_id = ? AND n >= ? AND (n > ? OR algorithm > ?) AND (? = '' OR algorithm = ?)
     ORDER BY n, algorithm LIMIT ?`,
  ),
  seriesRecords: database.prepare(
    `SELECT key_ms AS keyMs, n, record FROM results
     WHERE series_id = ? AND (key_ms, n) > (?, ?) AND key_ms < ? ORDER BY key_ms, n LIMIT ?`,
  ),
  newest: database.prepare('SELECT record FROM results WHERE series_id = ? ORDER BY key_ms DESC, n DESC LIMIT 1'),
  events: database.prepare(
    `SELECT position, 'result' AS kind, stream, algorithm,
       CASE WHEN (? = '' OR stream = ?) AND (? = '' OR algorithm = ?) THEN record END AS text
     FROM results JOIN series ON series.id = results.series_id JOIN runs ON runs.id = results.run_id
     WHERE position > ?
     UNION ALL
     SELECT end_position, 'end', stream, NULL, CASE WHEN ? = '' OR stream = ? THEN end END FROM runs WHERE end_position > ?
     ORDER BY 1 LIMIT ?`,
  ),
});
