/**
 * Reads the store. What may be long comes in pages, bounded in rows and in bytes, so that neither memory nor the time for which
 * a page holds up the rest of the process grows with the store; the next page is asked for by the place of the last row.
 */

import type { DatabaseSync, StatementSync } from 'node:sqlite';

export type RunSummary = {
  readonly id: number;
  readonly stream: string;
  readonly run: string;
  /** The run end's text, null while it goes on. */
  readonly end: string | null;
  readonly results: number;
  readonly errors: number;
};

/** Where a page of records begins: behind this row. */
export type RecordPlace = { readonly n: number; readonly algorithm: string };
/** Where a page of a series begins: behind this row. */
export type SeriesPlace = { readonly keyMs: number; readonly n: number };

export type RecordRow = RecordPlace & { readonly record: string };
export type SeriesRow = SeriesPlace & { readonly record: string };
export type Series = { readonly id: number; readonly algorithm: string };

/** A result or a run's end, in the order of positions; no text where the filter leaves it out. */
export type EventRow = {
  readonly position: number;
  readonly kind: 'result' | 'end';
  readonly text: string | null;
};

export type Page<Row> = {
  readonly rows: readonly Row[];
  /** Whether there is nothing behind it now. */
  readonly last: boolean;
};

export type RecordsQuery = {
  readonly runId: number;
  readonly algorithm?: string;
  readonly after?: RecordPlace;
  readonly limit: number;
  /** The page ends with the row that brings its texts above this. */
  readonly maxCharacters?: number;
};

export type ResultQueries = {
  /** The newest run of every stream, by the stream's id. */
  streams(): RunSummary[];
  /** The runs of a stream, newest first. */
  runs(stream: string): RunSummary[];
  /** One run, the newest unless named. */
  run(stream: string, run?: string): RunSummary | undefined;
  /** The series of a run, by algorithm. */
  series(runId: number, algorithm?: string): Series[];
  /** Records of a run in the order of n, then algorithm. */
  records(query: RecordsQuery): Page<RecordRow>;
  /** Records of a series in the order of time, those before `toMs`. */
  seriesRecords(query: { seriesId: number; after: SeriesPlace; toMs: number; limit: number }): Page<SeriesRow>;
  /** The newest record of a series. */
  newest(seriesId: number): string | undefined;
  /** Everything behind a position; ends pass every filter for an algorithm. */
  events(query: { after: number; stream?: string; algorithm?: string; limit: number }): Page<EventRow>;
};

/** Of a page, unless told: small enough for V8's nursery, where garbage is cheap. */
const PAGE_CHARACTERS = 32 * 1024;

export function createResultQueries(database: DatabaseSync): ResultQueries {
  const sql = prepare(database);
  return {
    streams: () => sql.streams.all() as RunSummary[],
    runs: (stream) => sql.runs.all(stream) as RunSummary[],
    run: (stream, run) =>
      (run === undefined ? sql.newestRun.get(stream) : sql.run.get(stream, run)) as RunSummary | undefined,
    series: (runId, algorithm = '') => sql.series.all(runId, algorithm, algorithm) as Series[],
    records({ runId, algorithm = '', after, limit, maxCharacters }) {
      const { n, algorithm: name } = after ?? { n: -1, algorithm: '' };
      const parameters = [runId, n, n, name, algorithm, algorithm];
      return page<RecordRow>(sql.records, parameters, limit, (row) => row.record, maxCharacters);
    },
    seriesRecords: ({ seriesId, after, toMs, limit }) =>
      page<SeriesRow>(sql.seriesRecords, [seriesId, after.keyMs, after.n, toMs], limit, (row) => row.record),
    newest: (seriesId) => (sql.newest.get(seriesId) as { record: string } | undefined)?.record,
    events: ({ after, stream = '', algorithm = '', limit }) =>
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
    `SELECT position, 'result' AS kind,
       CASE WHEN (? = '' OR stream = ?) AND (? = '' OR algorithm = ?) THEN record END AS text
     FROM results JOIN series ON series.id = results.series_id JOIN runs ON runs.id = results.run_id
     WHERE position > ?
     UNION ALL
     SELECT end_position, 'end', CASE WHEN ? = '' OR stream = ? THEN end END FROM runs WHERE end_position > ?
     ORDER BY 1 LIMIT ?`,
  ),
});
