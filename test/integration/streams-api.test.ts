/** Streams are registered, changed and removed over the API; what is no stream is refused and leaves nothing behind. */

import type { RegisteredStream } from '@stream-infer/core/registered-stream';
import type { Run } from '@stream-infer/core/run';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { publishEnd, seriesPublisher, testRecord } from '../harness/collector.ts';
import { eventually } from '../harness/eventually.ts';
import { type ApiAnswer, LOBBY, type StreamAnswer, type StreamsApi, startStreamsApi } from '../harness/streams-api.ts';

let api: StreamsApi;
beforeAll(async () => {
  api = await startStreamsApi();
});
afterEach(() => api.clear());
afterAll(() => api?.stop());

describe('a stream', () => {
  test('is registered with every default filled in, is read, replaced and removed', async () => {
    const added = await api.send('POST', '/v1/streams?owner=site', LOBBY);
    expect(added).toMatchObject({ status: 201, body: { id: 'lobby', state: 'waiting', run: null, owner: 'site' } });
    expect(await api.streams.get('lobby')).toMatchObject({
      value: { mode: 'offline', fps: '10', owner: 'site', algorithms: [{ name: 'faces', interval: '1' }, {}] },
    });
    const read = await api.send('GET', '/v1/streams/lobby');
    expect(read).toMatchObject({ status: 200, etag: added.etag, body: added.body });
    const replaced = await api.send('PUT', '/v1/streams/lobby', {
      ...LOBBY,
      algorithms: [{ name: 'faces', as: 'heads' }],
    });
    expect(replaced).toMatchObject({ status: 200, body: { owner: 'site' } });
    expect(replaced.body.definition?.algorithms).toMatchObject([{ name: 'faces', as: 'heads', interval: '1' }]);
    expect(replaced.etag).not.toBe(added.etag);
    expect(await api.send('DELETE', '/v1/streams/lobby')).toMatchObject({ status: 204 });
    expect(await api.send('GET', '/v1/streams/lobby')).toMatchObject({
      status: 404,
      body: { error: { code: 'UNKNOWN_STREAM' } },
    });
    expect(await api.send('DELETE', '/v1/streams/lobby')).toMatchObject({ status: 404 });
    expect(await api.streams.get('lobby')).toBeUndefined();
  });

  test('what is read can be put back, and is the same stream', async () => {
    const { body, etag } = await api.send('PUT', '/v1/streams/lobby', { ...LOBBY, id: undefined });
    const again = await api.send('PUT', '/v1/streams/lobby?ifChanged=true', body.definition);
    expect(again).toMatchObject({ status: 200, etag });
    expect((await api.send('PUT', '/v1/streams/lobby', body.definition)).etag).not.toBe(etag);
  });

  test('of an id that exists is not added again', async () => {
    const { etag } = await api.send('POST', '/v1/streams', LOBBY);
    expect(await api.send('POST', '/v1/streams', { ...LOBBY, fps: 5 })).toMatchObject({
      status: 409,
      body: { error: { code: 'STREAM_EXISTS', message: expect.stringContaining('lobby') } },
    });
    expect((await api.send('GET', '/v1/streams/lobby')).etag).toBe(etag);
  });

  test('that plays a replay is not listed', async () => {
    await api.send('POST', '/v1/streams', LOBBY);
    const lobby = await api.streams.get('lobby');
    if (!lobby) throw new Error('no lobby');
    await api.streams.put('replay-1', {
      ...lobby.value,
      id: 'replay-1',
      replay: { stream: 'lobby', run: 'r', ns: [1] },
    });
    await eventually('it is known', async () => (await api.send('GET', '/v1/streams/replay-1')).status === 200);
    const { streams } = await api.collector.get<{ streams: StreamAnswer[] }>('/v1/streams');
    expect(streams.map(({ id }) => id)).toEqual(['lobby']);
  });

  test('that was registered elsewhere is listed, and one of which only results are left too', async () => {
    await api.send('POST', '/v1/streams', LOBBY);
    const place = { stream: 'gone', run: 'r1', algorithm: 'faces' };
    await seriesPublisher(api.bus, place)(testRecord(place, 1));
    const listed = await eventually('both', async () => {
      const { streams: all } = await api.collector.get<{ streams: StreamAnswer[] }>('/v1/streams');
      return all.length === 2 && all;
    });
    expect(listed).toMatchObject([
      { id: 'gone', run: 'r1', state: 'running', definition: null },
      { id: 'lobby', run: null, state: 'waiting', definition: { id: 'lobby' } },
    ]);
  });
});

test('what was put into the registry and is no stream is not there, and does not keep others from it', async () => {
  for (const [key, value] of Object.entries({
    junk: {},
    text: 'x',
    nothing: null,
    other: { id: 'lobby', algorithms: [] },
  }))
    await api.streams.put(key, value as never);
  await api.runs.put('lobby', { run: 1 } as never);
  await api.send('POST', '/v1/streams', { ...LOBBY, width: 64, height: 48 });
  const { streams: all } = await api.collector.get<{ streams: StreamAnswer[] }>('/v1/streams');
  expect(all.filter(({ definition }) => definition !== null)).toMatchObject([{ id: 'lobby', state: 'waiting' }]);
  expect(await api.send('GET', '/v1/streams/junk')).toMatchObject({ status: 404 });
  expect(await api.send('PUT', '/v1/streams/junk', { ...LOBBY, id: 'junk' })).toMatchObject({ status: 201 });
  await api.runs.delete('lobby');
});

describe('of several writers', () => {
  test('who saw the same state one wins, and every other is told (D11)', async () => {
    const { etag } = await api.send('POST', '/v1/streams', LOBBY);
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        api.send('PUT', '/v1/streams/lobby', { ...LOBBY, fps: index + 1 }, { 'if-match': etag }),
      ),
    );
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, ...Array(7).fill(412)]);
    const winner = answers.findIndex(({ status }) => status === 200);
    expect((await api.streams.get('lobby'))?.value.fps).toBe(String(winner + 1));
    expect(answers.find(({ status }) => status === 412)?.body.error.code).toBe('STREAM_CHANGED');
  });

  test('who say that there is none yet one wins', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => api.send('PUT', '/v1/streams/lobby', LOBBY, { 'if-none-match': '*' })),
    );
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([201, ...Array(7).fill(412)]);
  });

  test('who say nothing the last wins, and none is refused', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) => api.send('PUT', '/v1/streams/lobby', { ...LOBBY, fps: index + 1 })),
    );
    expect(answers.every(({ status }) => status === 200 || status === 201)).toBe(true);
  });

  test('one who removes what another has changed is told', async () => {
    const { etag } = await api.send('POST', '/v1/streams', LOBBY);
    await api.send('PUT', '/v1/streams/lobby', LOBBY);
    expect(await api.send('DELETE', '/v1/streams/lobby', undefined, { 'if-match': etag })).toMatchObject({
      status: 412,
    });
    expect(await api.streams.get('lobby')).toBeDefined();
  });
});

describe('a job', () => {
  const runOf = (specRevision: number, spec: RegisteredStream, state: Run['state']): Run => ({
    ...{ run: 'r7', stream: 'job', epoch: 1, owner: 'ingest-1', spec, specRevision, startedAtMs: 0, state },
  });

  test('is told of from its start to its end, and put again it waits for another run (EX-10)', async () => {
    const { etag } = await api.send('POST', '/v1/streams', { ...LOBBY, id: 'job', mode: 'offline' });
    const spec = (await api.streams.get('job'))?.value as RegisteredStream;
    await api.runs.put('job', runOf(Number(etag.slice(1, -1)), spec, { kind: 'claimed' }));
    const state = async (wanted: string): Promise<StreamAnswer> =>
      eventually(`the job is ${wanted}`, async () => {
        const { body } = await api.send('GET', '/v1/streams/job');
        return body.state === wanted && body;
      });
    expect(await state('running')).toMatchObject({ run: 'r7', results: 0, end: null });
    const place = { stream: 'job', run: 'r7', algorithm: 'faces' };
    await seriesPublisher(api.bus, place)(testRecord(place, 1), testRecord(place, 2));
    await publishEnd(api.bus, 'job', 'r7');
    expect(await state('ended')).toMatchObject({ run: 'r7', results: 2, end: { decoded: 10, fault: null } });
    await api.send('PUT', '/v1/streams/job', { ...LOBBY, id: 'job' });
    expect(await state('waiting')).toMatchObject({ run: null, results: 0, end: null });
    expect((await api.send('GET', '/v1/streams/job?run=r7')).body).toMatchObject({ run: 'r7', state: 'ended' });
  });
});

describe('a password', () => {
  const SECRET = 'n0-one-may-see-this';
  const CAMERA = { id: 'gate', source: `rtsp://admin:${SECRET}@camera/1?token=${SECRET}` };

  test('is in no answer, and is not overwritten by what an answer shows in its place (I8)', async () => {
    const answers = [
      await api.send('POST', '/v1/streams', CAMERA),
      await api.send('PUT', '/v1/streams/gate', CAMERA),
      await api.send('GET', '/v1/streams/gate'),
      await api.send('GET', '/v1/streams'),
      await api.send('PUT', '/v1/streams/gate', { ...CAMERA, fsp: 1 }),
      await api.send('PUT', '/v1/streams/gate', { ...CAMERA, source: [CAMERA.source] }),
    ];
    expect(JSON.stringify(answers)).not.toContain(SECRET);
    const [, , { body }] = answers as [ApiAnswer, ApiAnswer, ApiAnswer];
    expect(body.definition?.source).toBe('rtsp://***@camera/1?token=***');
    for (const source of [body.definition?.source, 'rtsp://***@camera/1', 'http://camera/1?token=***&a=1']) {
      const refused = await api.send('PUT', '/v1/streams/gate', { ...body.definition, source });
      expect(refused).toMatchObject({
        status: 400,
        body: { error: { code: 'CONFIG_INVALID', message: expect.stringMatching(/the whole URL, or sourceFrom/) } },
      });
    }
    expect((await api.streams.get('gate'))?.value.source).toBe(CAMERA.source);
    expect(api.collector.log()).not.toContain(SECRET);
  });

  test('stays where what is shown of its URL is put back with If-Match, and of no other (I8)', async () => {
    const { body, etag } = await api.send('POST', '/v1/streams', CAMERA);
    const put = (source: string | undefined, match: string) =>
      api.send('PUT', '/v1/streams/gate', { ...body.definition, source, fps: 5 }, { 'if-match': match });
    for (const source of ['rtsp://***@camera/2?token=***', 'rtsp://***@camera/1', 'rtsp://camera/1?token=***'])
      expect(await put(source, etag), source).toMatchObject({
        status: 400,
        body: { error: { code: 'CONFIG_INVALID' } },
      });
    expect(await put(body.definition?.source, '"1"')).toMatchObject({ status: 412 });
    const kept = await put(body.definition?.source, etag);
    expect(kept).toMatchObject({
      ...{ status: 200, body: { definition: { source: 'rtsp://***@camera/1?token=***', fps: '5' } } },
    });
    expect((await api.streams.get('gate'))?.value).toMatchObject({ source: CAMERA.source, fps: '5' });
    // Of a stream that is not there nothing is registered, nor of one whose source is kept elsewhere.
    await api.send('PUT', '/v1/streams/gate', { id: 'gate', sourceFrom: { env: 'GATE_URL' } });
    expect(await put(body.definition?.source, '*')).toMatchObject({ status: 400 });
    expect(JSON.stringify(kept) + api.collector.log()).not.toContain(SECRET);
  });
});

describe('a request that is refused', () => {
  const ids = ['a.b', 'a b', '*', '>', 'a*', 'ä', '-a', '', 'x'.repeat(300)];

  test.each(ids)('has an id that no name can be: %j', async (id) => {
    const added = await api.send('POST', '/v1/streams', { ...LOBBY, id });
    expect(added).toMatchObject({
      status: 400,
      body: { error: { code: 'CONFIG_INVALID', message: expect.stringContaining('1 to 64 letters, digits, _ or -') } },
    });
    if (id === '') return;
    const put = await api.send('PUT', `/v1/streams/${encodeURIComponent(id)}`, LOBBY);
    expect(put).toMatchObject({
      status: 400,
      body: { error: { code: 'BAD_REQUEST', message: expect.stringContaining('id must be 1 to 64 letters') } },
    });
    expect(await api.streams.entries()).toEqual([]);
  });

  test.each([
    [{ ...LOBBY, source: 'lobby.mp4' }, 'CONFIG_INVALID', /source "lobby.mp4" is relative/],
    [{ ...LOBBY, source: 'rstp://a:b@camera/1' }, 'CONFIG_INVALID', /"rstp:\/\/\*\*\*@camera\/1".*did you mean rtsp\?/],
    [{ id: 'a', sourceFrom: { file: 'secret' } }, 'CONFIG_INVALID', /source "secret" is relative/],
    [{ ...LOBBY, heigth: 3 }, 'CONFIG_UNKNOWN_KEY', /heigth is unknown: did you mean height\?/],
    [{ ...LOBBY, fps: 0 }, 'CONFIG_INVALID', /fps is 0: it must be a number above 0/],
    [{ id: 'a' }, 'CONFIG_INVALID', /give source or sourceFrom/],
    [{ ...LOBBY, algorithms: ['facs'] }, 'CONFIG_UNKNOWN_ALGORITHM', /\[0\] is facs.*it defines faces, picture/],
    [{ ...LOBBY, algorithms: ['faces', 'faces'] }, 'CONFIG_DUPLICATE_NAME', /both give results named faces/],
    [{ ...LOBBY, algorithms: [{ name: 'faces', interval: 0.01 }] }, 'INTERVAL_TOO_SHORT', /faces/],
    [{ ...LOBBY, buffer: 1, algorithms: [{ name: 'faces', frameCount: 2 }] }, 'WINDOW_EXCEEDS_BUFFER', /set buffer/],
    [{ ...LOBBY, pixelFormat: 'yuv420p', width: 5 }, 'SIZE_ODD', /width is 5/],
    ['{"id":', 'BAD_REQUEST', /JSON/],
    [`{"id":"a","source":"/a","__proto__":{"x":1}}`, 'BAD_REQUEST', /./],
    ['null', 'CONFIG_INVALID', /must be a mapping/],
  ])('is told what is wrong: %j', async (body, code, message) => {
    const { status, body: answer } = await api.send('POST', '/v1/streams', body);
    expect({ status, code: answer.error.code, message: answer.error.message }).toEqual({
      ...{ status: 400, code, message: expect.stringMatching(message) },
    });
    expect(await api.streams.entries()).toEqual([]);
  });

  test('has another id in its body than in its path', async () => {
    expect(await api.send('PUT', '/v1/streams/gate', LOBBY)).toMatchObject({
      ...{ status: 400, body: { error: { message: expect.stringContaining('id is "lobby": it must be gate') } } },
    });
  });

  test('has a body above 64 KiB', async () => {
    const large = { ...LOBBY, source: `/${'x'.repeat(64 * 1024)}` };
    for (const [method, path] of [
      ['POST', '/v1/streams'],
      ['PUT', '/v1/streams/lobby'],
    ] as const)
      expect(await api.send(method, path, large)).toMatchObject({
        status: 413,
        body: { error: { code: 'BODY_TOO_LARGE' } },
      });
    expect(await api.streams.entries()).toEqual([]);
  });
});
