/** The ingest as a process of its own on a real bus: runs, frames, backpressure, claims, stops. */

import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { onStatus, type SourceStatus } from '@stream-infer/bus/announcements';
import { busErrorKind } from '@stream-infer/bus/bus-error';
import { fetchFrame } from '@stream-infer/bus/frame-fetcher';
import { frameBufferState, purgeFrameBuffer } from '@stream-infer/bus/frame-stream';
import { ensureResultStream, publishResult } from '@stream-infer/bus/result-stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type ClipFolder, clipFolder, referenceFrames, testPicture } from '../harness/clips.ts';
import { everyFrame } from '../harness/decoded-source.ts';
import { eventually } from '../harness/eventually.ts';
import { ffmpegsOf, IngestWorld, settled } from '../harness/ingest-world.ts';

let clips: ClipFolder;
let clip: string;
let long: string;
beforeAll(async () => {
  clips = await clipFolder();
  clip = await clips.clip('clip.mp4', ...testPicture('64x48', '10', 6));
  long = await clips.clip('long.mp4', ...testPicture('64x48', '30', 60));
});
afterAll(async () => clips?.remove());

let world: IngestWorld;
beforeEach(async () => {
  world = await IngestWorld.open();
});
afterEach(async () => world?.close());

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('a file played offline', () => {
  test('becomes numbered frames with all their headers, then an end marker (F-1, F-2, F-3, F-4, F-5, F-6)', async () => {
    await world.ingest();
    const two = { ...everyFrame, frameCount: 2, frameStep: 1, intervalFrames: 5 };
    await world.play('cam', clip, { algorithms: [two], fps: '5', pixelFormat: 'gray' });
    const run = await world.untilPlaying('cam');
    expect(run.state).toMatchObject({
      source: { width: 64, height: 48, fps: '10', sampling: 'index', live: false, codec: 'h264', durationSeconds: 6 },
      frame: { width: 64, height: 48, pixelFormat: 'gray', encoding: 'raw', bytesPerFrame: 64 * 48 },
      frames: `test_FRAMES_cam_${run.epoch}`,
      notices: [],
    });
    const reference = await referenceFrames(clip, '-pix_fmt', 'gray');
    const first = await eventually('the first frame', () => fetchFrame(world.bus, run.state.frames, 1));
    // Due at 5, 10 …, with the frame before: n 4 and 5 are source frames 6 and 8.
    expect(first.header).toEqual({
      kind: 'frame',
      run: run.run,
      epoch: run.epoch,
      n: 4,
      previous: 0,
      sourceIndex: 6,
      presentationTimeUs: 600_000,
      capturedAtMs: 0,
      ageMs: 0,
      size: { width: 64, height: 48 },
      pixelFormat: 'gray',
      encoding: 'raw',
      sourceSize: { width: 64, height: 48 },
    });
    expect(createHash('md5').update(first.data).digest('hex')).toBe(reference[6]?.md5);
    const { frames, sequences, end } = await world.readToEnd(run);
    expect(frames.map(({ n }) => n)).toEqual([4, 5, 9, 10, 14, 15, 19, 20, 24, 25, 29, 30]);
    expect(frames.map(({ previous }) => previous)).toEqual([0, 4, 5, 9, 10, 14, 15, 19, 20, 24, 25, 29]);
    expect(sequences).toEqual(Array.from({ length: 13 }, (_, i) => i + 1));
    expect(end).toEqual({ lastPublished: 30, lastPlayed: 30, decoded: 60, played: 30, published: 12 });
    await world.until('cam', 'ended');
  });

  test('waits where nothing is released, at its capacity, and goes on by announcement or by the state of the buffer (EX-2, F-9)', async () => {
    await world.ingest();
    await world.play('cam', clip, { algorithms: [{ ...everyFrame, maxInFlight: 1 }] });
    const run = await world.untilPlaying('cam');
    const { capacity, frames } = run.state;
    expect(capacity).toBeLessThan(30);
    const last = async (): Promise<number> => (await frameBufferState(world.bus, frames)).lastSequence;
    await eventually('a full buffer', async () => (await last()) === capacity);
    expect(await settled(last, 600)).toBe(capacity);
    await world.release(run, 3);
    await eventually('three more', async () => (await last()) === capacity + 3);
    // Nothing is announced of this purge: the ingest asks the buffer itself.
    await purgeFrameBuffer(world.bus, frames, 6);
    await eventually('two more', async () => (await last()) === capacity + 5);
    expect(await settled(last, 600)).toBe(capacity + 5);
    const rest = await world.readToEnd(run);
    expect(rest.frames.map(({ n }) => n)).toEqual(Array.from({ length: 55 }, (_, i) => i + 6));
    expect(rest.end).toMatchObject({ decoded: 60, played: 60, published: 60 });
  });

  test('tells how far it is, and counts a fate for every frame (I1)', async () => {
    const ingest = await world.ingest();
    const told: SourceStatus[] = [];
    onStatus(world.bus, 'cam', (status) => told.push(status));
    await world.bus.connection.flush();
    await world.play('cam', clip, { fps: '4', position: '1', algorithms: [{ ...everyFrame, intervalFrames: 2 }] });
    const run = await world.untilPlaying('cam');
    await world.readToEnd(run);
    await eventually('the last status', () => told.at(-1)?.condition.state === 'ended');
    expect(told.map(({ condition: { state, reason } }) => `${state} ${reason}`)).toContain('playing frames');
    expect(told.at(-1)).toEqual({
      stream: 'cam',
      run: run.run,
      condition: { state: 'ended', reason: 'ended', sinceMs: expect.any(Number) },
      fault: null,
      retryInMs: null,
      framesPerSecond: 0,
      lastFrameAgeMs: expect.any(Number),
      decoded: 60,
      published: 10,
      positionSeconds: 5.9,
      durationSeconds: 6,
    });
    const metrics = await (await fetch(`${ingest.addresses.http}/metrics`)).text();
    const value = (name: string): number => Number(metrics.match(new RegExp(`^${name}\\S* (\\S+)$`, 'm'))?.[1]);
    const reason = (name: string): number =>
      value(`stream_infer_frames_total\\{stream="cam",fate="not-needed",reason="${name}"`);
    expect(['before-start', 'skipped', 'no-algorithm'].map(reason)).toEqual([10, 30, 10]);
    expect(value('stream_infer_frames_published_total')).toBe(10);
    expect(value('stream_infer_unaccounted_frames')).toBe(0);
    expect(value('stream_infer_frames_decoded_total')).toBe(60);
    expect(value('stream_infer_published_bytes_total')).toBe(10 * 64 * 48 * 3);
  });
});

describe('a file played in realtime', () => {
  test('takes its time, waits for nobody, and the buffer keeps the newest (EX-8, F-10)', async () => {
    await world.ingest();
    const startedAtMs = Date.now();
    await world.play('cam', clip, { mode: 'realtime' });
    const run = await world.untilPlaying('cam');
    const state = () => frameBufferState(world.bus, run.state.frames);
    await eventually('the end marker', async () => (await state()).lastSequence === 61);
    expect(Date.now() - startedAtMs).toBeGreaterThan(5_000);
    expect((await state()).messages).toBeLessThanOrEqual(run.state.capacity);
    const { header } = await fetchFrame(world.bus, run.state.frames, 60);
    expect(header).toMatchObject({ n: 60, sourceIndex: 59 });
    expect(header.capturedAtMs).toBeGreaterThan(startedAtMs + 5_000);
    expect(header.ageMs).toBeLessThan(2_000);
  });

  test('from a position it begins there at once, at its natural rate', async () => {
    await world.ingest();
    await world.play('cam', long, { mode: 'realtime', fps: '10', position: '57' });
    const run = await world.untilPlaying('cam');
    const { frames } = await world.readToEnd(run, false);
    const [first, last] = [frames[0], frames.at(-1)];
    expect(first).toMatchObject({ n: 571, sourceIndex: 1710 });
    expect((first?.capturedAtMs ?? 0) - run.startedAtMs).toBeLessThan(20_000);
    expect((last?.capturedAtMs ?? 0) - (first?.capturedAtMs ?? 0)).toBeGreaterThan(2_700);
  });
});

describe('one stream is played by one ingest', () => {
  test('however many there are: twelve streams and two ingests, each played once (N-3)', async () => {
    const ingests = await Promise.all([world.ingest(), world.ingest()]);
    const ids = Array.from({ length: 12 }, (_, i) => `cam${i}`);
    await Promise.all(ids.map((id) => world.play(id, clip, { fps: '1' })));
    const runs = await Promise.all(ids.map((id) => world.until(id, 'ended')));
    const starts = ingests.map((ingest) => ingest.log().split('"msg":"playing"').length - 1);
    expect(starts.reduce((sum, count) => sum + count)).toBe(ids.length);
    const buffers: string[] = [];
    for await (const name of world.bus.manager.streams.names()) buffers.push(name);
    expect(buffers.filter((name) => name.includes('FRAMES')).sort()).toEqual(
      runs.map(({ stream, epoch }) => `test_FRAMES_${stream}_${epoch}`).sort(),
    );
  });

  test('a spec that is put again is played again, as another run', async () => {
    await world.ingest();
    await world.play('cam', clip, { fps: '1' });
    const first = await world.until('cam', 'ended');
    await world.play('cam', clip, { fps: '1' });
    const second = await world.until('cam', 'ended', first.run);
    expect(second.epoch).toBeGreaterThan(first.epoch);
  });

  test('a spec that changes in the middle ends its run and begins another', async () => {
    await world.ingest();
    await world.play('cam', long, { mode: 'realtime' });
    const first = await world.untilPlaying('cam');
    await world.play('cam', long, { mode: 'realtime', fps: '5' });
    const second = await world.untilPlaying('cam', first.run);
    expect(second.spec.fps).toBe('5');
    await eventually('the second run alone has an ffmpeg', async () => (await ffmpegsOf(long)).length === 1);
  });
});

describe('a run that is stopped', () => {
  test('with its stream leaves no ffmpeg, and an end marker behind what is still to be answered (L-6)', async () => {
    await world.ingest();
    await world.play('cam', long, { mode: 'realtime' });
    const run = await world.untilPlaying('cam');
    await eventually('an ffmpeg', async () => (await ffmpegsOf(long)).length === 1);
    await world.streams.delete('cam');
    const { state } = await world.until('cam', 'ended');
    expect(state).toMatchObject({ removed: true, facts: { frames: run.state.frames } });
    expect(await ffmpegsOf(long)).toEqual([]);
    expect((await world.readToEnd(run)).end.fault).toBeUndefined();
  });

  test('with its ingest, in the middle of backpressure, goes on in the next epoch, and nothing answered is published again (EX-4, L-2, L-4)', async () => {
    const ingest = await world.ingest();
    await world.play('cam', long);
    const first = await world.untilPlaying('cam');
    const { frames, capacity } = first.state;
    await eventually(
      'a full buffer',
      async () => (await frameBufferState(world.bus, frames)).lastSequence === capacity,
    );
    expect(await ingest.stop()).toBe(0);
    expect(await ffmpegsOf(long)).toEqual([]);
    await ensureResultStream(world.bus, { maxBytes: 1 << 20 });
    const place = { stream: 'cam', run: first.run, algorithm: everyFrame.name };
    const totals = { triggered: 5, completed: 5, failed: 0, dropped: {} };
    await publishResult(world.bus, place, new TextEncoder().encode('{"n":5}'), { after: 0, totals, token: 1 });
    await world.ingest();
    const second = await eventually('the next epoch', async () => {
      const run = await world.untilPlaying('cam');
      return run.epoch > first.epoch ? run : undefined;
    });
    expect(second.run).toBe(first.run);
    const { frames: again, end } = await world.readToEnd(second);
    expect(again[0]?.n).toBe(6);
    expect(again).toHaveLength(1795);
    expect(end).toMatchObject({ decoded: 1800, played: 1800, published: 1800, lastPublished: 1800 });
    await expect(frameBufferState(world.bus, frames)).rejects.toSatisfy(
      (error) => busErrorKind(error) === 'stream-missing',
    );
  });

  test('by the death of its ingest leaves no ffmpeg, even one that waits for a silent camera (EX-12)', async () => {
    const stream = await readFile(await clips.clip('silent.ts', ...testPicture('64x48', '10', 15, '-g', '10')));
    const camera = createServer((_, response) => void response.writeHead(200).write(stream));
    await new Promise<void>((resolve) => camera.listen(0, '127.0.0.1', resolve));
    try {
      const ingest = await world.ingest({ OPEN_TIMEOUT_MS: '600000' });
      const url = `http://127.0.0.1:${(camera.address() as AddressInfo).port}/silent.ts`;
      await world.play('cam', url, { mode: 'realtime' });
      const { frames } = (await world.untilPlaying('cam')).state;
      await eventually('some frames', async () => (await frameBufferState(world.bus, frames)).lastSequence > 0);
      await settled(async () => (await frameBufferState(world.bus, frames)).lastSequence, 500);
      const [pid = 0] = await ffmpegsOf(url);
      expect(isAlive(pid)).toBe(true);
      ingest.process.kill('SIGKILL');
      await eventually('its end', () => !isAlive(pid));
    } finally {
      camera.closeAllConnections();
      camera.close();
    }
  });
});

describe('an ingest that cannot work says why, in one line, and ends with status 4', () => {
  const ended = (environment: Readonly<Record<string, string>>): Promise<string> =>
    world.ingest(environment).then(
      () => 'started',
      (error: unknown) => String(error),
    );

  test('without ffmpeg or ffprobe', async () => {
    for (const name of ['FFMPEG_PATH', 'FFPROBE_PATH']) {
      const text = await ended({ [name]: '/nowhere/program' });
      expect(text).toMatch(/ended with 4: .*"level":"fatal".*"code":"FFMPEG_MISSING".*\/nowhere\/program.*\n$/);
      expect(text).toContain(name);
    }
  });

  test('with an ffmpeg that is too old', async () => {
    const old = join(clips.path, 'old-ffmpeg');
    await writeFile(old, '#!/bin/sh\necho "ffmpeg version 4.4.2-0ubuntu0 Copyright (c) 2000-2021"\n', { mode: 0o755 });
    expect(await ended({ FFMPEG_PATH: old })).toMatch(/ended with 4: .*"code":"FFMPEG_TOO_OLD".*4\.4\.2/);
  });

  test('without a bus', async () => {
    expect(await ended({ NATS_URL: 'nats://user:h4mster@127.0.0.1:1' })).toMatch(
      /ended with 4: .*"code":"NATS_UNREACHABLE"/,
    );
    expect(await ended({ NATS_URL: 'nats://user:h4mster@127.0.0.1:1' })).not.toContain('h4mster');
  });
});
