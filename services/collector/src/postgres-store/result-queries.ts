/** Reads the database: a page is one statement, which leaves out what would make it too large. */

import type { EventRow, Page, RecordRow, ResultQueries, RunSummary, Series, SeriesRow } from '../result-queries.ts';
import { positionOf, type StoreProgress } from '../store-progress.ts';
import type { Query } from './connection.ts';

/** Of a page, unless told: it costs a round trip, and what is read of it becomes garbage at once. */
const PAGE_BYTES = 128 * 1024;

export function createResultQueries({ query }: { readonly query: Query }): ResultQueries {
  const first = async <Row extends object>(text: string, values: readonly unknown[]): Promise<Row | undefined> =>
    (await query<Row>(text, values))[0];
  return {
    async progress() {
      const progress = await first<Pick<StoreProgress, 'base' | 'sequence'>>('SELECT base, sequence FROM progress', []);
      const { base, sequence } = progress ?? { base: 0, sequence: 0 };
      return { sequence, position: positionOf({ base }, sequence) };
    },
    streams: () => query<RunSummary>(SQL.streams),
    runs: (stream) => query<RunSummary>(`${SUMMARY} WHERE stream = $1 ORDER BY first_position DESC`, [stream]),
    run: (stream, run) =>
      run === undefined
        ? first<RunSummary>(`${SUMMARY} WHERE stream = $1 ORDER BY first_position DESC LIMIT 1`, [stream])
        : first<RunSummary>(`${SUMMARY} WHERE stream = $1 AND run = $2`, [stream, run]),
    runsOf: async (places) =>
      places.length === 0
        ? []
        : query<RunSummary>(SQL.runsOf, [places.map(({ stream }) => stream), places.map(({ run }) => run)]),
    series: (runId, algorithm) =>
      query<Series>(
        `SELECT id, algorithm FROM series WHERE run_id = $1 AND results > 0
         ${algorithm === undefined ? '' : 'AND algorithm = $2'} ORDER BY algorithm`,
        [runId, ...(algorithm === undefined ? [] : [algorithm])],
      ),
    records({ runId, algorithm, after, limit, maxCharacters }) {
      const { n, algorithm: name } = after ?? { n: -1, algorithm: '' };
      const only =
        algorithm === undefined ? '' : 'AND series_id = (SELECT id FROM series WHERE run_id = $1 AND algorithm = $4)';
      return page<RecordRow>(query, {
        rows: `SELECT n, algorithm, record FROM results JOIN series ON series.id = results.series_id
          WHERE results.run_id = $1 AND n >= $2 AND (n > $2 OR algorithm > $3) ${only}`,
        order: 'n, algorithm',
        text: 'record',
        values: [runId, n, name, ...(algorithm === undefined ? [] : [algorithm])],
        limit,
        ...(maxCharacters !== undefined && { maxBytes: maxCharacters }),
      });
    },
    seriesRecords: ({ seriesId, after, toMs, limit }) =>
      page<SeriesRow>(query, {
        rows: `SELECT key_ms AS "keyMs", n, record FROM results
          WHERE series_id = $1 AND (key_ms, n) > ($2, $3) AND key_ms < $4`,
        order: '"keyMs", n',
        text: 'record',
        values: [seriesId, after.keyMs, after.n, toMs],
        limit,
      }),
    newest: async (seriesId) =>
      (
        await first<{ record: string }>(
          'SELECT record FROM results WHERE series_id = $1 ORDER BY key_ms DESC, n DESC LIMIT 1',
          [seriesId],
        )
      )?.record,
    events: ({ after, stream, algorithm, limit }) =>
      page<EventRow>(query, {
        rows: SQL.events,
        order: 'position',
        text: 'text',
        values: [after, limit + 1, stream ?? null, algorithm ?? null],
        limit,
      }),
  };
}

type PageQuery = {
  /** A SELECT without its order. */
  readonly rows: string;
  readonly order: string;
  /** Name of the column whose bytes count. */
  readonly text: string;
  readonly values: readonly unknown[];
  readonly limit: number;
  readonly maxBytes?: number;
};

/** Rows until there are `limit`, or until those before fill a page. */
async function page<Row extends object>(
  query: Query,
  { rows, order, text, values, limit, maxBytes = PAGE_BYTES }: PageQuery,
): Promise<Page<Row>> {
  const [limitAt, mostAt] = [values.length + 1, values.length + 2];
  // One row more than wanted tells whether there is another page. The size of a large record is known without reading it.
  const found = await query<Row & { readonly found: number }>(
    `SELECT * FROM (
       SELECT *, count(*) OVER () AS found,
         sum(coalesce(octet_length(${text}), 0)) OVER (ORDER BY ${order} ROWS UNBOUNDED PRECEDING)
           - coalesce(octet_length(${text}), 0) AS before
       FROM (${rows} ORDER BY ${order} LIMIT $${limitAt}) AS rows
     ) AS page WHERE before <= $${mostAt} ORDER BY ${order}`,
    [...values, limit + 1, maxBytes],
  );
  const taken = found.slice(0, limit);
  return { rows: taken, last: taken.length === (found[0]?.found ?? 0) };
}

const SUMMARY = `
  SELECT runs.id, stream, run, end_text AS "end", counts.results, counts.errors
  FROM runs CROSS JOIN LATERAL (
    SELECT coalesce(sum(results), 0)::bigint AS results, coalesce(sum(errors), 0)::bigint AS errors
    FROM series WHERE run_id = runs.id
  ) AS counts`;

const SQL = {
  streams: `${SUMMARY} WHERE runs.id IN (SELECT DISTINCT ON (stream) id FROM runs ORDER BY stream, first_position DESC)
    ORDER BY stream`,
  runsOf: `${SUMMARY} WHERE (stream, run) IN (SELECT * FROM unnest($1::text[], $2::text[]))`,
  events: `
    SELECT position, kind, stream, algorithm, text FROM (
      (SELECT position, 'result' AS kind, stream, algorithm,
         CASE WHEN ($3::text IS NULL OR stream = $3) AND ($4::text IS NULL OR algorithm = $4) THEN record END AS text
       FROM results JOIN series ON series.id = results.series_id JOIN runs ON runs.id = results.run_id
       WHERE position > $1 ORDER BY position LIMIT $2)
      UNION ALL
      (SELECT end_position, 'end', stream, NULL, CASE WHEN $3::text IS NULL OR stream = $3 THEN end_text END
       FROM runs WHERE end_position > $1 ORDER BY end_position LIMIT $2)
    ) AS events`,
} as const;
