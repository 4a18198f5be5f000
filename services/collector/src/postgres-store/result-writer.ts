/**
 * Takes what comes from RESULTS into the database: a batch is one transaction of a few statements, each for all of its items. The session
 * holds the turn to write; that nobody else has written meanwhile is looked at in each transaction besides, so that a turn which was
 * lost stores nothing.
 */

import { Fault } from '@stream-infer/core/fault';
import type { ResultWriter, StoreBatch, StoreOutcome } from '../result-store.ts';
import { type EndItem, RANK, type ResultItem, type StoreItem } from '../store-item.ts';
import { committedProgress, positionOf, resumeProgress, type StoreProgress } from '../store-progress.ts';
import { type Connection, lockKey, type Query } from './connection.ts';
import { distinctPlaces } from './distinct-places.ts';

/** Beside committing: the server ends a session that says nothing. */
const BEAT_MS = 1_000;

type Placed = ResultItem & { readonly runId: number; readonly seriesId: number };
type SeriesCount = { results: number; errors: number };

/** @param session that holds the turn; it is closed with the writer. */
export function createResultWriter(session: Connection, schema: string): ResultWriter {
  let progress: StoreProgress | undefined;
  // Of a session that is lost the next commit tells.
  const beating = setInterval(() => void session.query('SELECT 1').catch(() => undefined), BEAT_MS);

  const writing = <T>(work: (query: Query, standing: StoreProgress) => Promise<T>): Promise<T> =>
    session.transaction(async (query) => {
      await query(`SELECT pg_advisory_xact_lock(${lockKey('writing', schema)})`);
      const [standing] = await query<StoreProgress>('SELECT created, base, sequence FROM progress');
      if (standing === undefined) throw new Fault('STORE_FAILED', 'the table progress of the store has lost its row');
      if (progress !== undefined && !isSame(progress, standing))
        throw new Fault('STORE_UNREACHABLE', 'another collector has stored since: what is to be stored is read anew');
      return work(query, standing);
    });

  return {
    async resume(stream) {
      const next = await writing(async (query, standing) => {
        const resumed = resumeProgress(standing, stream);
        if (resumed !== standing) await saveProgress(query, resumed, NOTHING);
        return resumed;
      });
      progress = next;
      return next.sequence + 1;
    },
    async commit(batch, nowMs) {
      const { outcomes, next } = await writing(async (query, standing) => {
        const committed = committedProgress(standing, batch.sequence);
        const stored = await storeBatch(query, batch, { progress: committed, nowMs });
        await saveProgress(query, committed, stored);
        return { outcomes: stored.outcomes, next: committed };
      });
      progress = next;
      return outcomes;
    },
    async close() {
      clearInterval(beating);
      await session.close();
    },
  };
}

const isSame = (a: StoreProgress, b: StoreProgress): boolean =>
  a.created === b.created && a.base === b.base && a.sequence === b.sequence;

/** By how much the store grows. */
type Growth = {
  readonly results: number;
  readonly recordBytes: number;
  readonly bySeries: ReadonlyMap<number, SeriesCount>;
};

const NOTHING: Growth = { results: 0, recordBytes: 0, bySeries: new Map() };

type Moment = { readonly progress: StoreProgress; readonly nowMs: number };
type PlacedMoment = Moment & { readonly runIds: ReadonlyMap<string, number> };

/** What became of an item, and by how many bytes the records grew. */
type Fate = { readonly outcome: StoreOutcome; readonly bytes: number };

async function storeBatch(
  query: Query,
  { items }: StoreBatch,
  moment: Moment,
): Promise<Growth & { readonly outcomes: StoreOutcome[] }> {
  if (items.length === 0) return { ...NOTHING, outcomes: [] };
  const runIds = await idsOfRuns(query, items, moment.progress);
  const placed = await placedItems(query, items, runIds);
  const fates: Fate[] = [];
  for (const group of distinctPlaces(placed)) fates.push(...(await storeGroup(query, group, { ...moment, runIds })));
  return { ...growthOf(placed, fates), outcomes: fates.map(({ outcome }) => outcome) };
}

/** @param group of distinct places */
async function storeGroup(query: Query, group: readonly (Placed | EndItem)[], moment: PlacedMoment): Promise<Fate[]> {
  const isEnd = (item: Placed | EndItem): item is EndItem => item.kind === 'end';
  const ends = await storeEnds(query, group.filter(isEnd), moment);
  const results = group.filter((item) => !isEnd(item));
  const { stored, replaced } = await storeResults(query, results, moment);
  return group.map((item) => {
    const position = positionOf(moment.progress, item.sequence);
    if (isEnd(item)) return { outcome: ends.has(position) ? 'stored' : 'duplicate', bytes: 0 };
    const bytes = Buffer.byteLength(item.text);
    if (stored.has(position)) return { outcome: 'stored', bytes };
    const freed = replaced.get(position);
    return freed === undefined ? { outcome: 'duplicate', bytes: 0 } : { outcome: 'replaced', bytes: bytes - freed };
  });
}

function growthOf(items: readonly (Placed | EndItem)[], fates: readonly Fate[]): Growth {
  const bySeries = new Map<number, SeriesCount>();
  let results = 0;
  let recordBytes = 0;
  for (const [index, { outcome, bytes }] of fates.entries()) {
    const item = items[index];
    if (item === undefined || item.kind === 'end' || outcome === 'duplicate') continue;
    const sum = bySeries.get(item.seriesId) ?? { results: 0, errors: 0 };
    bySeries.set(item.seriesId, sum);
    recordBytes += bytes;
    if (outcome === 'stored') {
      results += 1;
      sum.results += 1;
      if (item.rank === RANK.error) sum.errors += 1;
    } else {
      // Only an error can be replaced.
      sum.errors -= 1;
    }
  }
  return { results, recordBytes, bySeries };
}

const runKey = ({ stream, run }: Pick<StoreItem, 'stream' | 'run'>): string => `${stream}.${run}`;

/** @param what as messages have it. Throws STORE_FAILED where the database did not tell the id. */
function idIn(ids: ReadonlyMap<string, number>, key: string, what: string): number {
  const id = ids.get(key);
  if (id !== undefined) return id;
  throw new Fault(
    'STORE_FAILED',
    `the database of the results keeps no ${what} ${key}: look for triggers and rules on its tables`,
  );
}

/** Makes those that are new, first heard of at the first of their items. */
async function idsOfRuns(
  query: Query,
  items: readonly StoreItem[],
  progress: StoreProgress,
): Promise<ReadonlyMap<string, number>> {
  const firsts = [...Map.groupBy(items, runKey).values()].flatMap(([first]) => first ?? []);
  const rows = await query<{ id: number; stream: string; run: string }>(SQL.runs, [
    firsts.map(({ stream }) => stream),
    firsts.map(({ run }) => run),
    firsts.map(({ sequence }) => positionOf(progress, sequence)),
  ]);
  return new Map(rows.map((row) => [runKey(row), row.id]));
}

async function placedItems(
  query: Query,
  items: readonly StoreItem[],
  runIds: ReadonlyMap<string, number>,
): Promise<(Placed | EndItem)[]> {
  const results = items.filter((item) => item.kind === 'result');
  const runIdOf = (item: StoreItem): number => idIn(runIds, runKey(item), 'run');
  const key = (runId: number, algorithm: string): string => `${runId}.${algorithm}`;
  const series = new Map(
    results.map((item) => [key(runIdOf(item), item.algorithm), { runId: runIdOf(item), algorithm: item.algorithm }]),
  );
  const wanted = [...series.values()];
  const rows =
    wanted.length === 0
      ? []
      : await query<{ id: number; run_id: number; algorithm: string }>(SQL.series, [
          wanted.map(({ runId }) => runId),
          wanted.map(({ algorithm }) => algorithm),
        ]);
  const ids = new Map(rows.map(({ id, run_id, algorithm }) => [key(run_id, algorithm), id]));
  return items.map((item) => {
    if (item.kind === 'end') return item;
    const runId = runIdOf(item);
    return { ...item, runId, seriesId: idIn(ids, key(runId, item.algorithm), 'series') };
  });
}

/** Positions of those that are new, and of those that took the place of another, with the bytes of that. */
async function storeResults(
  query: Query,
  items: readonly Placed[],
  { progress, nowMs }: Moment,
): Promise<{ readonly stored: ReadonlySet<number>; readonly replaced: ReadonlyMap<number, number> }> {
  if (items.length === 0) return { stored: new Set(), replaced: new Map() };
  const values = (of: readonly Placed[]) => [
    of.map(({ sequence }) => positionOf(progress, sequence)),
    of.map(({ runId }) => runId),
    of.map(({ seriesId }) => seriesId),
    of.map(({ n }) => n),
    of.map(({ keyMs }) => keyMs),
    of.map(({ rank }) => rank),
    of.map(({ text }) => text),
    nowMs,
  ];
  const inserted = await query<{ position: number }>(SQL.results, values(items));
  const stored = new Set(inserted.map(({ position }) => position));
  const better = items.filter(({ sequence, rank }) => rank > RANK.error && !stored.has(positionOf(progress, sequence)));
  if (better.length === 0) return { stored, replaced: new Map() };
  const raised = await query<{ position: number; freed: number }>(SQL.raise, values(better));
  return { stored, replaced: new Map(raised.map(({ position, freed }) => [position, freed])) };
}

/** Positions of those that are the first of their run. */
async function storeEnds(
  query: Query,
  items: readonly EndItem[],
  { progress, nowMs, runIds }: PlacedMoment,
): Promise<ReadonlySet<number>> {
  if (items.length === 0) return new Set();
  const rows = await query<{ position: number }>(SQL.ends, [
    items.map((item) => idIn(runIds, runKey(item), 'run')),
    items.map(({ sequence }) => positionOf(progress, sequence)),
    items.map(({ text }) => text),
    nowMs,
  ]);
  return new Set(rows.map(({ position }) => position));
}

async function saveProgress(
  query: Query,
  { created, base, sequence }: StoreProgress,
  { results, recordBytes, bySeries }: Growth,
): Promise<void> {
  const counts = [...bySeries];
  await query(SQL.save, [
    created,
    base,
    sequence,
    results,
    recordBytes,
    counts.map(([id]) => id),
    counts.map(([, count]) => count.results),
    counts.map(([, count]) => count.errors),
  ]);
}

const COLUMNS = 'position, run_id, series_id, n, key_ms, rank, record';
const RECORDS = `unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::smallint[], $7::text[])`;

const SQL = {
  runs: `
    WITH wanted AS (SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[]) AS wanted (stream, run, first_position)),
    made AS (
      INSERT INTO runs (stream, run, first_position)
      SELECT stream, run, first_position FROM wanted
      WHERE NOT EXISTS (SELECT FROM runs WHERE runs.stream = wanted.stream AND runs.run = wanted.run)
      ORDER BY first_position RETURNING id, stream, run
    )
    SELECT id, stream, run FROM made
    UNION ALL SELECT runs.id, runs.stream, runs.run FROM wanted JOIN runs USING (stream, run)`,
  series: `
    WITH wanted AS (SELECT * FROM unnest($1::bigint[], $2::text[]) AS wanted (run_id, algorithm)),
    made AS (
      INSERT INTO series (run_id, algorithm)
      SELECT run_id, algorithm FROM wanted
      WHERE NOT EXISTS (SELECT FROM series WHERE series.run_id = wanted.run_id AND series.algorithm = wanted.algorithm)
      RETURNING id, run_id, algorithm
    )
    SELECT id, run_id, algorithm FROM made
    UNION ALL SELECT series.id, series.run_id, series.algorithm FROM wanted JOIN series USING (run_id, algorithm)`,
  results: `
    INSERT INTO results (${COLUMNS}, stored_at_ms)
    SELECT ${COLUMNS}, $8::bigint FROM ${RECORDS} AS new (${COLUMNS})
    ON CONFLICT (run_id, n, series_id) DO NOTHING RETURNING position`,
  raise: `
    UPDATE results SET position = better.position, rank = better.rank, record = better.record, stored_at_ms = $8::bigint
    FROM ${RECORDS} AS better (${COLUMNS}) JOIN results AS old USING (run_id, n, series_id)
    WHERE results.position = old.position AND old.rank < better.rank
    RETURNING results.position, octet_length(old.record) AS freed`,
  ends: `
    UPDATE runs SET end_position = ended.position, ended_at_ms = $4::bigint, end_text = ended.record
    FROM unnest($1::bigint[], $2::bigint[], $3::text[]) AS ended (id, position, record)
    WHERE runs.id = ended.id AND runs.end_text IS NULL RETURNING ended.position`,
  save: `
    WITH counts AS (SELECT * FROM unnest($6::bigint[], $7::bigint[], $8::bigint[]) AS counts (id, results, errors)),
    counted AS (
      UPDATE series SET results = series.results + counts.results, errors = series.errors + counts.errors
      FROM counts WHERE series.id = counts.id
    )
    UPDATE progress SET created = $1, base = $2::bigint, sequence = $3::bigint,
      results = results + $4::bigint, record_bytes = record_bytes + $5::bigint`,
} as const;
