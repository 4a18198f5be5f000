/** Sources that cannot be played, or not whole: each ends its run with a fault that names it, and no secret with it. */

import { readFile, truncate, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { onStatus } from '@stream-infer/bus/announcements';
import { fetchFrame } from '@stream-infer/bus/frame-fetcher';
import { frameBufferState } from '@stream-infer/bus/frame-stream';
import type { Run } from '@stream-infer/core/run';
import type { StreamSpec } from '@stream-infer/core/stream-spec';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ClipFolder, clipFolder, packetPts, referenceFrames, testPicture } from '../harness/clips.ts';
import { streamSpec } from '../harness/decoded-source.ts';
import { eventually } from '../harness/eventually.ts';
import { ffmpegsOf, IngestWorld, type PlayingRun, type ReadEpoch } from '../harness/ingest-world.ts';
import { resultLog } from '../harness/result-log.ts';
import type { ServiceProcess } from '../harness/service-process.ts';

const SECRET = 'h4mster';
let clips: ClipFolder;
let world: IngestWorld;
let ingest: ServiceProcess;
const servers: { close(): unknown }[] = [];

beforeAll(async () => {
  clips = await clipFolder();
  world = await IngestWorld.open();
  ingest = await world.ingest({
    OPEN_TIMEOUT_MS: '3000',
    STALL_MS: '2000',
    CAM_URL: `http://user:${SECRET}@127.0.0.1:1/cam`,
  });
});
afterAll(async () => {
  await world?.close();
  for (const server of servers) server.close();
  await clips?.remove();
});

/** Without a line of credentials, whatever happens: everything that the ingest logged or wrote (I8). */
const tracesOf = async (run: Run): Promise<string> => {
  const { ends } = await resultLog(world.bus);
  return JSON.stringify([run, ends.filter((end) => end.run === run.run)]) + ingest.log();
};

let plays = 0;
async function failure(
  source: string,
  different: Partial<StreamSpec> = {},
): Promise<{ run: Run; code: string; message: string }> {
  plays += 1;
  const id = `bad${plays}`;
  await world.play(id, source, different);
  const run = await world.until(id, 'failed');
  const end = await eventually('the end of the run', async () =>
    (await resultLog(world.bus)).ends.find((one) => one.run === run.run),
  );
  expect(end).toMatchObject({
    stream: id,
    decoded: 0,
    published: 0,
    algorithms: { a: { triggered: 0, completed: 0, failed: 0, dropped: {} } },
  });
  expect(run.state).toEqual({ kind: 'failed', fault: end.fault });
  return { run, code: end.fault?.code ?? '', message: end.fault?.message ?? '' };
}

async function played(source: string, different: Partial<StreamSpec> = {}): Promise<ReadEpoch> {
  plays += 1;
  const id = `good${plays}`;
  await world.play(id, source, different);
  return world.readToEnd(await world.untilPlaying(id));
}

const text = async (name: string, content: string): Promise<string> => {
  const path = join(clips.path, name);
  await writeFile(path, content);
  return path;
};
const listening = async (server: Server | ReturnType<typeof createTcpServer>): Promise<string> => {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
};
const http = (answer: RequestListener): Promise<string> => listening(createServer(answer));

describe('a source that cannot be played', () => {
  test.each([
    ['no such file', 'SOURCE_NOT_FOUND', () => join(clips.path, 'none.mp4')],
    ['a folder', 'SOURCE_NOT_MEDIA', () => clips.path],
    ['an empty file', 'SOURCE_EMPTY', () => text('empty.mp4', '')],
    ['text that is named a video', 'SOURCE_NOT_MEDIA', () => text('letter.mp4', 'Dear reader,\nthis is no video.\n')],
    ['text that ffmpeg would draw', 'SOURCE_NOT_MEDIA', () => text('letter.ans', 'Dear reader,\nthis is no video.\n')],
    ['sound alone', 'SOURCE_NO_VIDEO', () => clips.clip('sound.mp4', '-f', 'lavfi', '-i', 'sine=d=1')],
    ['sound with a cover', 'SOURCE_NO_VIDEO', covered],
    ['a header with no packet after it', 'SOURCE_NO_FRAMES', () => header('header.mkv', 700)],
    ['a device that is not there', 'SOURCE_NOT_FOUND', () => '/dev/video99'],
    ['a port where nobody listens', 'SOURCE_UNREACHABLE', () => `rtsp://u:${SECRET}@127.0.0.1:1/live`],
    ['a server that says nothing', 'SOURCE_UNREACHABLE', async () => `http://${await listening(createTcpServer())}/a`],
    [
      'a server that refuses the password',
      'SOURCE_UNAUTHORIZED',
      async () =>
        `http://u:${SECRET}@${await http((_, response) => response.writeHead(401).end())}/a.mp4?token=${SECRET}`,
    ],
  ])('%s: %s, naming it', async (_, code, make) => {
    const source = await make();
    const fault = await failure(source);
    expect(fault.code).toBe(code);
    expect(fault.message).toContain(source.replace(`u:${SECRET}`, '***').replace(SECRET, '***'));
    expect(fault.message).not.toContain('\n');
    const traces = await tracesOf({ ...fault.run, spec: { ...fault.run.spec, source: '' } });
    expect(traces).not.toContain(SECRET);
  });

  test('a source from the environment is named by its variable alone (I8)', async () => {
    const { source: _, ...spec } = streamSpec('', { id: 'secret', sourceFrom: { env: 'CAM_URL' } });
    await world.streams.put('secret', spec);
    const run = await world.until('secret', 'failed');
    expect(run.state).toMatchObject({
      fault: { code: 'SOURCE_UNREACHABLE', message: expect.stringContaining('CAM_URL') },
    });
    expect(await tracesOf(run)).not.toMatch(new RegExp(`${SECRET}|127\\.0\\.0\\.1:1/cam`));
  });

  test('a start beyond the end', async () => {
    const clip = await clips.clip('short.mp4', ...testPicture('64x48', '10', 2));
    expect(await failure(clip, { position: '2.5' })).toMatchObject({
      code: 'SOURCE_POSITION',
      message: expect.stringContaining('which is 2 s long'),
    });
    expect(await failure(clip, { videoStream: 1 })).toMatchObject({ code: 'SOURCE_NO_VIDEO' });
  });

  test('what the spec asks for and cannot be had ends the run in the same way', async () => {
    const clip = await clips.clip('short2.mp4', ...testPicture('64x48', '10', 2));
    expect((await failure(clip, { width: 4000, height: 4000 })).code).toBe('SIZE_TOO_LARGE');
    expect((await failure(clip, { width: 63, pixelFormat: 'yuv420p' })).code).toBe('SIZE_ODD');
    expect((await failure(clip, { encoding: 'jpeg', pixelFormat: 'yuv420p' })).code).toBe('CONFIG_INVALID');
  });
});

describe('a source that is broken in its middle', () => {
  /** 100 frames of intra-coded pictures, so that damage to one costs that one. */
  const intra = (name: string): Promise<string> =>
    clips.clip(name, ...testPicture('160x120', '10', 10, '-g', '1', '-movflags', '+faststart'));

  test('by bytes that are wrong: what decodes is numbered in a row, the loss is counted and told with its time', async () => {
    const file = await intra('wrong.mp4');
    const whole = await packetPts(file);
    const bytes = await readFile(file);
    const middle = Math.floor(bytes.byteLength / 2);
    await writeFile(file, bytes.fill(0xff, middle, middle + Math.floor(bytes.byteLength / 20)));
    const reference = await referenceFrames(file);
    const lost = whole.length - reference.length;
    expect(lost).toBeGreaterThan(0);
    // Ten frames a second: the reference counts in tenths, the packets in 1/10240 s.
    const present = new Set(reference.map(({ ptsTicks }) => ptsTicks));
    const firstLost = whole.map((ticks) => ticks / 1_024).find((tenths) => !present.has(tenths)) ?? 0;
    const { frames, end } = await played(file);
    expect(frames.map(({ sourceIndex }) => sourceIndex)).toEqual(reference.map((_, index) => index));
    expect(end.decoded).toBe(reference.length);
    expect(end.fault?.code).toBe('SOURCE_DAMAGED');
    expect(end.fault?.message).toContain(`at ${firstLost / 10} s: ${lost} of its 100 frames`);
  });

  test('by its end missing', async () => {
    const file = await intra('cut.mp4');
    await truncate(file, Math.floor((await readFile(file)).byteLength * 0.6));
    const { frames, end } = await played(file);
    expect(frames.length).toBeGreaterThan(40);
    expect(frames.length).toBeLessThan(80);
    const lost = 100 - frames.length;
    expect(end.fault).toMatchObject({ code: 'SOURCE_DAMAGED' });
    expect(end.fault?.message).toContain(`at ${frames.length / 10} s: ${lost} of its 100 frames`);
  });

  test('so that no frame decodes', async () => {
    const file = await intra('nothing.mp4');
    const bytes = await readFile(file);
    await writeFile(file, bytes.fill(0xff, bytes.indexOf('mdat') + 4));
    const { frames, end } = await played(file);
    expect(frames).toEqual([]);
    expect(end).toMatchObject({ decoded: 0, published: 0, fault: { code: 'SOURCE_NO_FRAMES' } });
  });
});

test('a live source that ends is lost where it is to play once: what came of it is published, and when it was lost is told', async () => {
  const stream = await readFile(await clips.clip('live.ts', ...testPicture('64x48', '10', 3, '-g', '10')));
  const address = await http((_, response) => {
    response.writeHead(200, { 'content-type': 'video/mp2t' }).end(stream);
  });
  const { frames, end } = await played(`http://${address}/live.ts`, { mode: 'realtime', fps: '10', once: true });
  expect(frames.length).toBeGreaterThan(0);
  expect(end).toMatchObject({ decoded: 30, fault: { code: 'SOURCE_LOST' } });
  expect(end.fault?.message).toContain('2.9 s');
});

test('a live source that falls silent is opened again: another epoch of its run, whose numbers go on (EX-8)', async () => {
  const stream = await readFile(await clips.clip('silent.ts', ...testPicture('64x48', '10', 15, '-g', '10')));
  const address = await http((_, response) => {
    response.writeHead(200, { 'content-type': 'video/mp2t' }).write(stream);
  });
  const told: string[] = [];
  const rates: { readonly state: string; readonly fps: number }[] = [];
  const stopListening = onStatus(world.bus, 'silent', ({ condition: { state, reason }, framesPerSecond: fps }) => {
    told.push(`${state} ${reason}`);
    rates.push({ state, fps });
  });
  await world.play('silent', `http://${address}/silent.ts`, { mode: 'realtime', fps: '10' });
  const first = await world.untilPlaying('silent');
  const newestOf = async ({ state: { frames } }: PlayingRun): Promise<number> => {
    const { lastSequence } = await frameBufferState(world.bus, frames);
    return lastSequence > 0 ? (await fetchFrame(world.bus, frames, lastSequence)).header.n : 0;
  };
  let before = 0;
  const second = await eventually('the next epoch', async () => {
    // Its buffer goes with the epoch.
    before = Math.max(before, await newestOf(first).catch(() => 0));
    const run = await world.untilPlaying('silent');
    return run.epoch > first.epoch ? run : undefined;
  });
  expect(before).toBeGreaterThan(0);
  expect(second.run).toBe(first.run);
  expect(told).toEqual(expect.arrayContaining(['playing frames', 'stalled no-frames', 'reconnecting no-frames']));
  // All of its frames come at once, and nothing after them.
  expect(Math.max(...rates.map(({ fps }) => fps))).toBeLessThanOrEqual(150);
  expect(rates.filter(({ state, fps }) => state !== 'playing' && fps !== 0)).toEqual([]);
  const after = await eventually('a frame of it', async () => (await newestOf(second).catch(() => 0)) || undefined);
  expect(after).toBeGreaterThan(before);
  stopListening();
  await world.streams.delete('silent');
  await eventually('the end of its ffmpeg', async () => (await ffmpegsOf(address)).length === 0);
});

async function covered(): Promise<string> {
  const cover = await clips.clip('cover.png', '-f', 'lavfi', '-i', 'color=red:s=32x32', '-frames:v', '1');
  const sound = ['-f', 'lavfi', '-i', 'sine=d=1', '-i', cover, '-map', '0', '-map', '1'];
  return clips.clip('covered.mp4', ...sound, '-c:v', 'png', '-disposition:v:0', 'attached_pic');
}

/** The first bytes of a Matroska file: its header alone. */
async function header(name: string, bytes: number): Promise<string> {
  const file = await clips.clip(name, ...testPicture('64x48', '10', 1));
  await truncate(file, bytes);
  return file;
}
