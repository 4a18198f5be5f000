/** A source that changes while it plays, or while it changes hands: the run goes on, and its frames say what they are. */

import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fetchFrame } from '@stream-infer/bus/frame-fetcher';
import type { FrameHeader } from '@stream-infer/bus/frame-headers';
import { readFrames } from '@stream-infer/bus/frame-reader';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ClipFolder, clipFolder, testPicture } from '../harness/clips.ts';
import { decode, everyFrame } from '../harness/decoded-source.ts';
import { eventually } from '../harness/eventually.ts';
import { IngestWorld, type PlayingRun } from '../harness/ingest-world.ts';
import { CameraServer, hasRtspServer } from '../harness/rtsp-server.ts';
import type { ServiceProcess } from '../harness/service-process.ts';

const REALTIME = { mode: 'realtime', pixelFormat: 'gray' } as const;
const SMALL = [64, 48] as const;
const LARGE = [128, 96] as const;

let clips: ClipFolder;

beforeAll(async () => {
  clips = await clipFolder();
});
afterAll(async () => clips?.remove());

test('a file that changes its size on the way, to and fro, goes on with frames of one size and one numbering', async () => {
  const alone = await clips.clip('small.h264', ...testPicture('64x48', '10', 1, '-g', '5'));
  const small = await readFile(alone);
  const large = await readFile(await clips.clip('large.h264', ...testPicture('128x96', '10', 1, '-g', '5')));
  const both = join(clips.path, 'both.h264');
  await writeFile(both, Buffer.concat([small, large, small]));
  const sizes = new Set<number>();
  // Every third frame: what is not selected changes its size as well.
  const algorithms = [{ ...everyFrame, intervalFrames: 3 }];
  const { pictures, fault } = await decode(both, { algorithms }, { onPicture: (data) => sizes.add(data.byteLength) });
  expect(fault).toBeUndefined();
  expect(pictures.map(({ n, sourceSize }) => [n, sourceSize])).toEqual(
    [3, 6, 9, 12, 15, 18, 21, 24, 27, 30].map((n) => [n, n > 10 && n <= 20 ? '128x96' : '64x48']),
  );
  expect([...sizes]).toEqual([64 * 48 * 3]);
  // The picture is the same when it is small again: nothing is cut at the wrong place.
  const [first, again] = await Promise.all([decode(alone), decode(both)]);
  expect(again.pictures.slice(20).map(({ md5 }) => md5)).toEqual(first.pictures.map(({ md5 }) => md5));
});

let world: IngestWorld;
let cameras: CameraServer;

type Picture = { readonly header: FrameHeader; readonly data: Uint8Array };

/** Frames of the epoch as they come, until one is the last. */
async function pictures(run: PlayingRun, isLast: (header: FrameHeader) => boolean): Promise<Picture[]> {
  const { stream, epoch, state } = run;
  const stop = new AbortController();
  const found: Picture[] = [];
  for await (const { sequence, header } of readFrames(world.bus, {
    replica: 'test',
    stream,
    epoch,
    from: 1,
    signal: AbortSignal.any([stop.signal, AbortSignal.timeout(30_000)]),
  })) {
    if (header.kind === 'end') throw new Error(`${stream} ended`);
    const { data } = await fetchFrame(world.bus, state.frames, sequence);
    found.push({ header, data });
    if (isLast(header)) stop.abort();
  }
  return found;
}

/** The run once its source is known to be so wide. */
const playingAt = (id: string, width: number): Promise<PlayingRun> =>
  eventually(`the source of ${id} is ${width} wide`, async () => {
    const run = await world.untilPlaying(id);
    return run.state.source.width === width ? run : undefined;
  });

/** Mean difference of two pictures' bytes. */
function difference(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((sum, byte, at) => sum + Math.abs(byte - (b[at] ?? 0)), 0) / a.length;
}

/** An ffprobe that is there, and finds nothing out. */
async function blindProbe(): Promise<string> {
  const path = join(clips.path, 'ffprobe');
  await writeFile(path, '#!/bin/sh\n[ "$1" = -version ] && exec ffprobe -version\nexit 1\n');
  await chmod(path, 0o755);
  return path;
}

const sizeOf = ({ sourceSize }: FrameHeader): string => `${sourceSize.width}x${sourceSize.height}`;

describe.skipIf(!hasRtspServer)('a camera (gst-rtsp-server of the distribution)', () => {
  let first: ServiceProcess;

  beforeAll(async () => {
    world = await IngestWorld.open();
    cameras = await CameraServer.start({ cameras: 2, size: SMALL, rate: 10, gop: 5 });
    first = await world.ingest();
    // So that its pictures can be compared.
    for (const camera of [0, 1]) await cameras.setFrozen(camera, true);
  });
  afterAll(async () => {
    await world?.close();
    await cameras?.stop();
  });

  test('that changes its size while it plays goes on in the same epoch, with frames of the size that they had', async () => {
    await world.play('resized', cameras.url(0), REALTIME);
    const run = await world.untilPlaying('resized');
    let isResized = false;
    let large = 0;
    const found = await pictures(run, ({ n, sourceSize }) => {
      if (n > 5 && !isResized) {
        isResized = true;
        void cameras.resize(0, LARGE);
      }
      if (sourceSize.width === LARGE[0] && large++ === 0) void cameras.resize(0, SMALL);
      return large > 0 && sourceSize.width === SMALL[0];
    });
    expect([...new Set(found.map(({ header }) => sizeOf(header)))]).toEqual(['64x48', '128x96']);
    expect(new Set(found.map(({ header }) => `${header.size.width}x${header.size.height}`))).toEqual(
      new Set(['64x48']),
    );
    expect(new Set(found.map(({ data }) => data.byteLength))).toEqual(new Set([64 * 48]));
    // It shows the same, however large it was: no picture is cut in two.
    const [before] = found;
    for (const { data } of found) expect(difference(before?.data ?? data, data)).toBeLessThan(4);
    const now = await world.untilPlaying('resized');
    expect([now.run, now.epoch]).toEqual([run.run, run.epoch]);
  });

  test('that comes back with another codec and size is what it is now, in the next epoch of the same run', async () => {
    const run = await world.untilPlaying('resized');
    await cameras.kill();
    await cameras.restart({ codec: 'jpeg', size: LARGE });
    const now = await playingAt('resized', LARGE[0]);
    const [frame] = await pictures(now, () => true);
    expect([now.run, now.state.source.codec, frame?.data.byteLength]).toEqual([run.run, 'mjpeg', 128 * 96]);
    await cameras.kill();
    await cameras.restart({ codec: 'h264', size: SMALL });
  });

  test('that goes to another ingest is opened there for what it was known to be, without being asked again', async () => {
    await world.play('known', cameras.url(1), REALTIME);
    const run = await world.untilPlaying('known');
    await first.stop();
    const second = await world.ingest({ FFPROBE_PATH: await blindProbe() });
    const later = await world.untilPlaying('known');
    const [frame] = await pictures(later, () => true);
    expect([later.run, later.state.source]).toEqual([run.run, run.state.source]);
    expect(later.epoch).toBeGreaterThan(run.epoch);
    expect(frame?.header.size).toEqual({ width: 64, height: 48 });
    await second.stop();
  });

  test('that turns out to be another one there is asked after all, in the next epoch of the same run', async () => {
    const before = await world.until('known', 'claimed');
    await cameras.resize(1, LARGE);
    await world.ingest();
    const run = await playingAt('known', LARGE[0]);
    const [frame] = await pictures(run, () => true);
    expect([run.run, frame?.header.size.width, frame && sizeOf(frame.header)]).toEqual([before.run, 128, '128x96']);
  });
});
