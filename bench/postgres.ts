/**
 * `make bench-postgres`: the PostgreSQL store with ten million results, on a server of its own with the settings that PostgreSQL comes with.
 * Writes bench/POSTGRES.md; exits 1 where a limit is not held.
 *
 *   node bench/postgres.ts [RESULTS]
 */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Bus, connectBus } from '@stream-infer/bus/bus';
import { ensureResultStream } from '@stream-infer/bus/result-stream';
import { canonicalJson } from '@stream-infer/core/canonical-json';
import type { PostgresStore } from '../services/collector/src/postgres-store/result-store.ts';
import { startCollector, testRecord } from '../test/harness/collector.ts';
import { eventually } from '../test/harness/eventually.ts';
import { startNatsServer } from '../test/harness/nats-server.ts';
import { type PostgresServer, startPostgres } from '../test/harness/postgres-server.ts';
import { seeded } from '../test/harness/seed.ts';
import { openStoreAt } from '../test/harness/store-at.ts';
import { type PostgresFacts, postgresDocument, type Times } from './postgres-document.ts';

const RESULTS = Number(process.argv[2] ?? 10_000_000);
const CAMERAS = 100;
const ALGORITHMS = ['cars', 'faces', 'people', 'plates', 'stats'];
const SERIES = CAMERAS * ALGORITHMS.length;
const PER_SECOND = 10;
const BACKLOG = 200_000;
const RANGE_SECONDS = 60;
const QUERIES = 500;
const WARM_UP = 100;
const MOST_BUS_BYTES = 4 * 2 ** 30;
/** What a detector says of five boxes. */
const DATA = {
  boxes: Array.from({ length: 5 }, (_, at) => [at + 0.5, 94.25, 328.5, 168.125]),
  labels: Array.from({ length: 5 }, () => 'face'),
  scores: Array.from({ length: 5 }, () => 0.998),
};
const RUN_SECONDS = RESULTS / SERIES / PER_SECOND;

const { random, pick } = seeded(1, { quiet: true });
// Written as a server in use writes: to the disk.
const postgres = await startPostgres({ configuration: ['fsync = on'] });
const nats = await startNatsServer();
try {
  const url = postgres.url(await postgres.createDatabase());
  const facts = await measureStore(postgres, url);
  const { text, held } = postgresDocument(facts);
  await writeFile(join(import.meta.dirname, 'POSTGRES.md'), text);
  console.log(text);
  process.exitCode = held ? 0 : 1;
} finally {
  await nats.stop();
  await postgres.stop();
}

async function measureStore(server: PostgresServer, url: string): Promise<PostgresFacts> {
  const database = new URL(url).pathname.slice(1);
  // It makes the schema, and tells how far the collector has come.
  await using opened = new AsyncDisposableStack();
  const store = opened.adopt(await openStoreAt(url), (each) => each.close());
  const loadSeconds = await seconds(() => load(server, database));
  const sizes = await server.sql(
    database,
    `SELECT record_bytes / results, pg_total_relation_size('"stream-infer".results') / results FROM "stream-infer".progress`,
  );
  const [recordBytes = 0, rowBytes = 0] = sizes.split('|').map(Number);

  const bus = await connectBus({ url: nats.url, prefix: 'stream-infer', name: 'bench-postgres' });
  await ensureResultStream(bus, { maxBytes: MOST_BUS_BYTES });
  await publishBacklog(bus);
  const collector = await startCollector({
    NATS_URL: nats.url,
    STORE_URL: url,
    RESULTS_MAX_BYTES: String(MOST_BUS_BYTES),
  });
  try {
    const storedSeconds = await untilStored(store);
    const api = collector.addresses.api ?? '';
    return {
      version: await server.sql(database, 'SHOW server_version'),
      rows: RESULTS,
      series: SERIES,
      recordBytes,
      rowBytes,
      loadSeconds,
      stored: BACKLOG,
      storedSeconds,
      rangeResults: RANGE_SECONDS * PER_SECOND,
      range: await ask(api, rangePath),
      last: await ask(api, () => `/v1/streams/${camera()}/results/last`),
      page: await ask(api, pagePath),
    };
  } finally {
    await collector.stop();
    await bus.close();
  }
}

/** As collectors would have stored it over time: each series at its rate, all of them by turns. */
async function load(server: PostgresServer, database: string): Promise<void> {
  const record = testRecord({ stream: '@stream', run: 'r1', algorithm: '@algorithm' }, 1, { data: DATA });
  const text = canonicalJson(record).replace('"key":"0.1"', '"key":"@key"').replace('"n":1,', '"n":@n,');
  const names = `ARRAY[${ALGORITHMS.map((name) => `'${name}'`).join(', ')}]`;
  const round = `(i / ${SERIES} + 1)`;
  const stream = `'cam-' || i % ${SERIES} / ${ALGORITHMS.length}`;
  const replaced = [
    ['@stream', stream],
    ['@algorithm', `(${names})[i % ${ALGORITHMS.length} + 1]`],
    ['@key', `trim_scale(${round} / ${PER_SECOND}.0)::text`],
    ['@n', `${round}::text`],
  ].reduce((sql, [name, value]) => `replace(${sql}, '${name}', ${value})`, `'${text}'`);
  await server.sql(
    database,
    `SET search_path = "stream-infer";
     INSERT INTO runs (stream, run, first_position)
       SELECT 'cam-' || c, 'r1', c * ${ALGORITHMS.length} + 1 FROM generate_series(0, ${CAMERAS - 1}) AS c ORDER BY c;
     INSERT INTO series (run_id, algorithm, results)
       SELECT runs.id, algorithm, ${Math.floor(RESULTS / SERIES)} FROM runs, unnest(${names}) AS algorithm
       ORDER BY runs.id, algorithm;
     INSERT INTO results (position, run_id, series_id, n, key_ms, rank, stored_at_ms, record)
       SELECT i + 1, i % ${SERIES} / ${ALGORITHMS.length} + 1, i % ${SERIES} + 1, ${round}, ${round} * 1000 / ${PER_SECOND}, 1,
         1700000000000 + ${round} * 1000 / ${PER_SECOND}, ${replaced}
       FROM generate_series(0::bigint, ${RESULTS - 1}) AS i;
     UPDATE progress SET base = ${RESULTS}, results = ${RESULTS},
       record_bytes = (SELECT sum(octet_length(record)) FROM results)`,
  );
  await server.sql(database, 'VACUUM (ANALYZE)');
}

async function publishBacklog(bus: Bus): Promise<void> {
  const underWay: Promise<unknown>[] = [];
  for (let at = 0; at < BACKLOG; at += 1) {
    const place = { stream: `new-${at % CAMERAS}`, run: 'r1', algorithm: ALGORITHMS[at % ALGORITHMS.length] ?? '' };
    const subject = bus.topology.resultSubject(place.stream, place.run, place.algorithm);
    const record = testRecord(place, Math.floor(at / CAMERAS) + 1, { data: DATA });
    underWay.push(bus.jetstream.publish(subject, canonicalJson(record)));
    if (underWay.length >= 1_000) await Promise.all(underWay.splice(0));
  }
  await Promise.all(underWay);
}

/** From the first commit to the last. */
async function untilStored(store: Pick<PostgresStore, 'progress'>): Promise<number> {
  const stored = async (): Promise<number> => (await store.progress()).sequence;
  await eventually('the first commit', async () => (await stored()) > 0, 60_000);
  return seconds(() => eventually('the last commit', async () => (await stored()) >= BACKLOG, 600_000));
}

function camera(): string {
  return `cam-${Math.floor(random() * CAMERAS)}`;
}

function rangePath(): string {
  const from = Math.floor(random() * Math.max(1, RUN_SECONDS - RANGE_SECONDS));
  return `/v1/streams/${camera()}/results?algorithm=${pick(ALGORITHMS)}&from=${from}&to=${from + RANGE_SECONDS}`;
}

function pagePath(): string {
  const n = Math.floor(random() * RUN_SECONDS * PER_SECOND);
  return `/v1/streams/${camera()}/records?cursor=${n}.${pick(ALGORITHMS)}`;
}

/** Milliseconds that each of many answers takes, sorted. */
async function ask(api: string, path: () => string): Promise<Times> {
  const times: number[] = [];
  for (let at = 0; at < WARM_UP + QUERIES; at += 1) {
    const began = performance.now();
    const response = await fetch(`${api}${path()}`);
    const text = await response.text();
    if (!response.ok) throw new Error(`${response.status}: ${text}`);
    if (at >= WARM_UP) times.push(performance.now() - began);
  }
  return times.toSorted((a, b) => a - b);
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1_000;
}
