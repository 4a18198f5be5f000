/** The registry lies on the bus: streams are changed also while the database of the results is away. */

import type { RegisteredStream } from '@stream-infer/core/registered-stream';
import { expect, test } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { hasPostgres, startPostgres } from '../harness/postgres-server.ts';
import { LOBBY, startStreamsApi } from '../harness/streams-api.ts';

test.skipIf(!hasPostgres)(
  'a change that is made is told of as made, and metrics answer, while the database (postgresql of the distribution) is away',
  { timeout: 60_000 },
  async () => {
    const postgres = await startPostgres();
    const database = await postgres.createDatabase();
    const api = await startStreamsApi({ STORE_URL: postgres.url(database) });
    try {
      const { etag } = await api.send('POST', '/v1/streams', { ...LOBBY, mode: 'realtime' });
      const spec = (await api.streams.get('lobby'))?.value as RegisteredStream;
      const owned = {
        run: 'r1',
        stream: 'lobby',
        epoch: 1,
        owner: 'ingest-1',
        specRevision: Number(etag.slice(1, -1)),
      };
      await api.runs.put('lobby', { ...owned, spec, startedAtMs: 0, state: { kind: 'claimed' } });
      const read = () => api.send('GET', '/v1/streams/lobby');
      await eventually('the run', async () => (await read()).body.run === 'r1');
      const shown = () => api.collector.metric('stream_infer_stream_state', 'lobby');
      await eventually('the state', async () => (await shown()) === 1);
      const holding = `BEGIN; LOCK TABLE "stream-infer".runs; SELECT pg_sleep(60)`;
      const held = postgres.sql(database, holding).catch(() => undefined);
      const waiting = `SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%runs%' AND wait_event_type = 'Lock'`;
      await eventually('a query that waits', async () => Number(await postgres.sql(database, waiting)) > 0);
      const limit = AbortSignal.timeout(5_000);
      expect((await fetch(`${api.collector.addresses.http}/metrics`, { signal: limit })).status).toBe(200);
      expect(await shown()).toBe(1);
      await postgres.kill();
      await held;
      await eventually('that the store is missed', async () => (await read()).status === 503);
      const put = await api.send('PUT', '/v1/streams/lobby?ifChanged=true', { ...LOBBY, mode: 'realtime' });
      expect(put).toMatchObject({ status: 200, etag, body: { id: 'lobby', run: 'r1', state: 'running' } });
    } finally {
      await api.stop();
      await postgres.stop();
    }
  },
);
