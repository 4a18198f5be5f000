/**
 * A source that `sources.allow` has nothing of is refused where it is registered, as far as the collector is told what may be played; and so is what
 * could not be played from a source that plays.
 */

import type { RegisteredStream } from '@stream-infer/core/registered-stream';
import { afterEach, expect, test } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { type StreamsApi, startStreamsApi } from '../harness/streams-api.ts';
import { sourceFacts } from '../model/specs.ts';

let api: StreamsApi | undefined;
afterEach(() => api?.stop());

const stream = (id: string, source: string) => ({ id, source, fps: 10 });

test('by its kind, with the fault’s code and the entry that is missing, and nothing is registered', async () => {
  api = await startStreamsApi({ SOURCES_ALLOW: 'network:private, files:/srv/videos' });
  for (const source of ['/dev/video0', 'lavfi:movie=/etc/passwd']) {
    const refusal = {
      status: 400,
      body: {
        error: { code: 'SOURCE_FORBIDDEN', message: expect.stringContaining('sources.allow does not have that') },
      },
    };
    expect(await api.send('POST', '/v1/streams', stream('yard', source)), source).toMatchObject(refusal);
    expect(await api.send('PUT', '/v1/streams/yard', stream('yard', source)), source).toMatchObject(refusal);
  }
  expect(await api.streams.entries()).toEqual([]);
  // Where these lead is for the ingest to find out.
  for (const [id, source] of [
    ['camera', 'rtsp://camera/1'],
    ['file', '/home/videos/a.mp4'],
  ] as const)
    expect(await api.send('POST', '/v1/streams', stream(id, source)), source).toMatchObject({ status: 201 });
  // What stands there stays as it is.
  expect(await api.send('PUT', '/v1/streams/file', stream('file', '/dev/video0'))).toMatchObject({ status: 400 });
  expect((await api.streams.get('file'))?.value.source).toBe('/home/videos/a.mp4');
});

test('none where nothing tells the collector: its ingests may say otherwise', async () => {
  api = await startStreamsApi({ SOURCES_ALLOW: '' });
  expect(await api.send('POST', '/v1/streams', stream('yard', '/dev/video0'))).toMatchObject({ status: 201 });
});

test('what a camera that plays cannot be played as is refused, and it plays on as it was', async () => {
  api = await startStreamsApi();
  const camera = { id: 'gate', source: 'rtsp://camera/1' };
  const { etag } = await api.send('POST', '/v1/streams', camera);
  const spec = (await api.streams.get('gate'))?.value as RegisteredStream;
  const source = sourceFacts({ fps: '10', live: true, sampling: 'time' });
  const of = { run: 'r1', stream: 'gate', epoch: 1, owner: 'ingest-1', specRevision: Number(etag.slice(1, -1)) };
  await api.runs.put('gate', { ...of, spec, startedAtMs: 0, state: { kind: 'claimed', source } });
  await eventually('the run', async () => (await api?.send('GET', '/v1/streams/gate'))?.body.run === 'r1');
  const short = { ...camera, algorithms: [{ name: 'faces', interval: 0.01 }] };
  expect(await api.send('PUT', '/v1/streams/gate', short, { 'if-match': etag })).toMatchObject({
    status: 400,
    body: { error: { code: 'INTERVAL_TOO_SHORT', message: expect.stringMatching(/faces.*at 10 fps/) } },
  });
  expect((await api.send('GET', '/v1/streams/gate')).etag).toBe(etag);
  expect(await api.send('PUT', '/v1/streams/gate', { ...short, source: 'rtsp://camera/2' })).toMatchObject({
    status: 200,
  });
});
