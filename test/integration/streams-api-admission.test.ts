/** A stream whose frames would exceed the bus's memory is refused with the sum; what cannot be told is admitted. */

import { bufferBytes, createFrameBuffer, deleteFrameBuffer } from '@stream-infer/bus/frame-stream';
import { plannedBuffer } from '@stream-infer/core/memory-admission';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type ApiAnswer, type StreamsApi, startStreamsApi } from '../harness/streams-api.ts';

const MEMORY_BYTES = 100 * 2 ** 20;

let api: StreamsApi;
beforeAll(async () => {
  api = await startStreamsApi({ BUS_MEMORY_BYTES: String(MEMORY_BYTES) });
});
afterEach(() => api.clear());
afterAll(() => api?.stop());

/** One that needs some 40 MiB. */
const camera = (id: string) => ({
  ...{
    id,
    source: 'rtsp://127.0.0.1:9/x',
    fps: 10,
    width: 800,
    height: 700,
    algorithms: [{ name: 'faces', interval: '0.1' }],
  },
});

test('the streams that are registered count before they play, and one that is removed no more', async () => {
  const answers: ApiAnswer[] = [];
  for (const id of ['one', 'two', 'three']) answers.push(await api.send('POST', '/v1/streams', camera(id)));
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 409]);
  const spec = (await api.streams.get('one'))?.value;
  const buffer = spec && plannedBuffer(spec);
  const each = ((buffer ? bufferBytes(buffer) : 0) / 2 ** 20).toFixed(1);
  expect(answers[2]?.body.error).toEqual({
    code: 'BUS_NO_ROOM',
    message: expect.stringContaining(
      `stream three needs ${each} MiB of the bus's memory for its frames, and ${(100 - 2 * Number(each)).toFixed(1)} MiB of 100.0 MiB are left: one reserves ${each} MiB, two reserves ${each} MiB;`,
    ),
  });
  expect(await api.streams.get('three')).toBeUndefined();
  const larger = { ...camera('one'), fps: 20, algorithms: [{ name: 'faces', interval: '0.05' }] };
  // What stands there already can be put again, and made larger only as far as there is room.
  expect(await api.send('PUT', '/v1/streams/one', camera('one'))).toMatchObject({ status: 200 });
  expect(await api.send('PUT', '/v1/streams/one', larger)).toMatchObject({ status: 409 });
  await api.send('DELETE', '/v1/streams/one');
  expect(await api.send('POST', '/v1/streams', camera('three'))).toMatchObject({ status: 201 });
});

test('of several that come at once no more are admitted than there is room for', async () => {
  const answers = await Promise.all(
    Array.from({ length: 6 }, (_, index) => api.send('POST', '/v1/streams', camera(`c${index}`))),
  );
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(2);
});

test('what is reserved on the bus counts, whoever it is that plays', async () => {
  const capacity = 20;
  const bytesPerFrame = 4 * 2 ** 20;
  const frames = await createFrameBuffer(api.bus, {
    stream: 'old_one',
    epoch: 7,
    mode: 'realtime',
    capacity,
    bytesPerFrame,
  });
  expect(await api.send('POST', '/v1/streams', camera('one'))).toMatchObject({
    ...{ status: 409, body: { error: { message: expect.stringContaining('left: old_one reserves 84.0 MiB;') } } },
  });
  // Its own buffer makes way for that of its next run.
  expect(await api.send('POST', '/v1/streams', camera('old_one'))).toMatchObject({ status: 201 });
  await deleteFrameBuffer(api.bus, frames);
});

test('a stream whose size or rate the source decides is admitted', async () => {
  await api.send('POST', '/v1/streams', camera('one'));
  await api.send('POST', '/v1/streams', camera('two'));
  const { width: _width, ...unknown } = camera('three');
  expect(await api.send('POST', '/v1/streams', unknown)).toMatchObject({ status: 201 });
});
