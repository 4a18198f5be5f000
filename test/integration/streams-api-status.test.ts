/** What ingests and schedulers announce is what the API tells of a stream, until they fall silent. */

import { announceLanes, announceStatus, type LaneStatus, type SourceStatus } from '@stream-infer/bus/announcements';
import type { RegisteredStream } from '@stream-infer/core/registered-stream';
import type { StreamReport } from '@stream-infer/core/stream-report';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { publishEnd } from '../harness/collector.ts';
import { eventually } from '../harness/eventually.ts';
import { LOBBY, type StreamsApi, startStreamsApi } from '../harness/streams-api.ts';

let api: StreamsApi;
beforeAll(async () => {
  api = await startStreamsApi();
});
afterAll(() => api?.stop());

const read = async (): Promise<StreamReport> => (await api.send('GET', '/v1/streams/lobby')).body as never;

test('state, reason, rates and ages come from the run that plays now, and are unknown after 5 s of silence (S-1)', async () => {
  const { etag } = await api.send('POST', '/v1/streams', { ...LOBBY, mode: 'realtime' });
  expect(await read()).toMatchObject({ run: null, source: null, algorithms: {} });
  await api.runs.put('lobby', {
    ...{ run: 'r1', stream: 'lobby', epoch: 1, owner: 'ingest-1', specRevision: Number(etag.slice(1, -1)) },
    ...{
      spec: (await api.streams.get('lobby'))?.value as RegisteredStream,
      startedAtMs: 0,
      state: { kind: 'claimed' },
    },
  });
  await eventually('the run', async () => (await read()).run === 'r1');
  expect((await read()).source).toMatchObject({ state: 'unknown', reason: null });

  const source: SourceStatus = {
    ...{ stream: 'lobby', run: 'r1', condition: { state: 'stalled', reason: 'no-frames', sinceMs: 1_700_000_000_000 } },
    ...{
      framesPerSecond: 0,
      lastFrameAgeMs: 3_000,
      decoded: 40,
      published: 4,
      positionSeconds: 4,
      durationSeconds: null,
    },
  };
  const totals = { triggered: 4, completed: 2, failed: 1, dropped: { stale: 1 } };
  const lastError = { code: 'ALGORITHM_FAILED', message: 'boom' } as const;
  const lanes: LaneStatus = {
    ...{ stream: 'lobby', run: 'r1', algorithms: { faces: { ...totals, lastResultAgeMs: 100, lateMs: 7, lastError } } },
  };
  announceStatus(api.bus, source);
  announceLanes(api.bus, lanes);
  const told = await eventually('the status', async () => {
    const report = await read();
    return report.source?.state === 'stalled' && report.algorithms.faces && report;
  });
  expect(told.source).toMatchObject({ reason: 'no-frames', sinceMs: 1_700_000_000_000, decoded: 40, published: 4 });
  expect(told.source?.lastFrameAgeMs).toBeGreaterThanOrEqual(3_000);
  expect(told.algorithms.faces).toMatchObject({ ...totals, state: 'followed', lateMs: 7, lastError });
  expect((await api.collector.get<{ streams: StreamReport[] }>('/v1/streams')).streams[0]?.source).toMatchObject({
    state: 'stalled',
  });

  // What another version of an ingest tells beside it, and what no version does.
  const fault = { code: 'SOURCE_UNREACHABLE', message: 'nobody is there' } as const;
  announceStatus(api.bus, { ...source, fault, retryInMs: 60_000, more: 'x' } as SourceStatus);
  const lost = await eventually('what it is lost by', async () => {
    const report = await read();
    return report.source?.fault && report.source;
  });
  expect(lost.fault).toEqual(fault);
  expect(lost.retryInMs).toBeGreaterThan(50_000);
  announceStatus(api.bus, { ...source, fault: 'gone', decoded: 0 } as never);
  announceStatus(api.bus, source);
  await eventually('it is told no more', async () => (await read()).source?.fault === null);
  expect((await read()).source).toMatchObject({ retryInMs: null, decoded: 40 });

  // What is no JSON, and what is told of another run, changes nothing.
  api.bus.connection.publish(api.bus.topology.statusSubject('lobby'), 'nonsense');
  announceLanes(api.bus, { ...lanes, stream: 'other' });
  const silent = await eventually('silence', async () => {
    const report = await read();
    return report.source?.state === 'unknown' && report.algorithms.faces?.state === 'unknown' && report;
  });
  expect(silent).toMatchObject({
    ...{ state: 'running', source: { reason: null, framesPerSecond: null, decoded: 40 } },
    algorithms: { faces: totals },
  });

  announceStatus(api.bus, { ...source, run: 'r0' });
  await eventually('another run is heard of', async () => (await read()).source?.decoded === null);
  await api.send('DELETE', '/v1/streams/lobby');
});

test('a job whose results retention has removed is still told to have ended, and how', async () => {
  const old = await startStreamsApi({ RETENTION_DAYS: String(0.2 / 86_400) });
  try {
    const { etag } = await old.send('POST', '/v1/streams', LOBBY);
    await old.runs.put('lobby', {
      ...{ run: 'r1', stream: 'lobby', epoch: 1, owner: 'ingest-1', specRevision: Number(etag.slice(1, -1)) },
      ...{
        spec: (await old.streams.get('lobby'))?.value as RegisteredStream,
        startedAtMs: 0,
        state: { kind: 'ended' },
      },
    });
    await publishEnd(old.bus, 'lobby', 'r1');
    await eventually('nothing of it is stored any more', async () => {
      const { status } = await old.send('GET', '/v1/streams/lobby/runs');
      return status === 404 && (await old.collector.metric('stream_infer_stored_run_ends_total', 'lobby')) === 1;
    });
    const report = await eventually('its end', async () => {
      const { body } = await old.send('GET', '/v1/streams/lobby');
      return body.end !== null && body;
    });
    expect(report).toMatchObject({ run: 'r1', state: 'ended', results: 0, end: { decoded: 10 } });
  } finally {
    await old.stop();
  }
});

test('without the bus what is registered is still read, and a write is refused as such', async () => {
  const lone = await startStreamsApi();
  try {
    await lone.send('POST', '/v1/streams', LOBBY);
    await lone.loseBus();
    expect(await lone.send('GET', '/v1/streams/lobby')).toMatchObject({ status: 200, body: { state: 'waiting' } });
    for (const [method, path] of [
      ['POST', '/v1/streams'],
      ['PUT', '/v1/streams/lobby'],
      ['DELETE', '/v1/streams/lobby'],
    ] as const) {
      const { status, body } = await lone.send(method, path, method === 'DELETE' ? undefined : LOBBY);
      expect({ status, code: body.error.code }).toEqual({ status: 503, code: 'UNAVAILABLE' });
    }
  } finally {
    await lone.stop();
  }
});
