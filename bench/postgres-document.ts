/** bench/POSTGRES.md: what the PostgreSQL store takes and answers, beside the limits. */

import { loadavg } from 'node:os';
import { machineLine, type Row } from './table.ts';

/** Milliseconds, sorted. */
export type Times = readonly number[];

export type PostgresFacts = {
  readonly version: string;
  readonly rows: number;
  readonly series: number;
  /** Of a record's text, and of a row with its indexes; means. */
  readonly recordBytes: number;
  readonly rowBytes: number;
  readonly loadSeconds: number;
  readonly stored: number;
  readonly storedSeconds: number;
  readonly rangeResults: number;
  readonly range: Times;
  readonly last: Times;
  readonly page: Times;
};

const STORED_PER_SECOND = 10_000;
const RANGE_MS = 50;

const ms = (value: number): string => `${value.toFixed(1)} ms`;
const percentile = (times: Times, share: number): number =>
  times[Math.min(times.length - 1, Math.ceil(share * times.length) - 1)] ?? Number.NaN;
const spread = (times: Times): string =>
  `median ${ms(percentile(times, 0.5))}, p99 ${ms(percentile(times, 0.99))}, longest ${ms(percentile(times, 1))}`;

export function postgresDocument(facts: PostgresFacts): { readonly text: string; readonly held: boolean } {
  const perSecond = facts.stored / facts.storedSeconds;
  const answered = (what: string, times: Times): Row => ({
    what,
    figure: spread(times),
    limit: `p99 < ${RANGE_MS} ms`,
    held: percentile(times, 0.99) < RANGE_MS,
  });
  const rows: readonly Row[] = [
    {
      what: `results stored a second, of ${facts.stored.toLocaleString('en')} that wait on the bus`,
      figure: perSecond.toFixed(0),
      limit: `≥ ${STORED_PER_SECOND.toLocaleString('en')}`,
      held: perSecond >= STORED_PER_SECOND,
    },
    answered(`a range of time of one algorithm, ${facts.rangeResults} results`, facts.range),
    answered('the newest record of each algorithm of a stream', facts.last),
    answered('a page of 100 records by cursor, anywhere in a run', facts.page),
  ];
  const held = rows.every((row) => row.held);
  const table = rows.map((row) => `| ${row.what} | ${row.figure} | ${row.limit} | ${row.held ? 'yes' : 'NO'} |`);
  const text = `# What the PostgreSQL store takes and answers

Written by \`make bench-postgres\`: PostgreSQL ${facts.version} with the settings that it comes with, nats-server, the collector and what asks it on one machine. ${facts.rows.toLocaleString('en')} results of ${facts.series} series are
there before anything is measured, ${facts.recordBytes} bytes of text each, ${facts.rowBytes} bytes with row and indexes. Results are stored from a backlog, from the first commit to the last: read from the bus, committed in order, acknowledged. Answers are those of the API,
over HTTP, at places drawn at random, one request after the other; the file system has cached what it can. What is not measured: networks between hosts, disks that are read cold, replication.

${machineLine()} Load average at the end: ${loadavg()[0]?.toFixed(1)}.

| what | figure | limit | held |
|---|---|---|---|
${table.join('\n')}
`;
  return { text, held };
}
