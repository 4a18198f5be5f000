/** A source that `sources.allow` has nothing of is refused where it is registered, as far as the collector is told what may be played. */

import { afterEach, expect, test } from 'vitest';
import { type StreamsApi, startStreamsApi } from '../harness/streams-api.ts';

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
