/**
 * A camera whose H.264 has B-frames, which are sent behind a picture that is shown after them: the next epoch opens it without the time that
 * ffmpeg takes to find their order out, and n and presentation times ascend all the same when algorithms are changed (EX-10).
 */

import { readFile, writeFile } from 'node:fs/promises';
import type { StreamAlgorithm } from '@stream-infer/core/stream-spec';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type ClipFolder, clipFolder, testPicture } from '../harness/clips.ts';
import { everyFrame } from '../harness/decoded-source.ts';
import { eventually } from '../harness/eventually.ts';
import { type FrameLog, startFrameLog } from '../harness/frame-log.ts';
import { forgetOrder } from '../harness/h264-order.ts';
import { hasRtspServer, type RtspServer, startRtspServer } from '../harness/rtsp-server.ts';
import { outOfOrder, startTakeoverTeam, type TakeoverTeam } from '../harness/takeover-team.ts';

const RATE = 10;
const KEPT_FRAMES = 5;
/** Longer than it is watched. */
const SECONDS = 180;
const CHANGES = 3;

const every = (name: string, intervalFrames: number): StreamAlgorithm => ({ ...everyFrame, name, intervalFrames });

const isAscending = (numbers: readonly number[]): void =>
  expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));

let clips: ClipFolder;
let told: string;
let untold: string;
let camera: RtspServer;
let team: TakeoverTeam;
let log: FrameLog;

describe.skipIf(!hasRtspServer)('a camera with B-frames (gst-rtsp-server of the distribution)', () => {
  beforeAll(async () => {
    clips = await clipFolder();
    const order = ['-bf', '3', '-b_strategy', '0', '-g', '20', '-movflags', '+faststart'];
    told = await clips.clip('told.mp4', ...testPicture('64x48', String(RATE), SECONDS, ...order));
    const file = await readFile(told);
    forgetOrder(file);
    untold = `${clips.path}/untold.mp4`;
    await writeFile(untold, file);
  });
  afterAll(() => clips?.remove());
  beforeEach(async () => {
    team = await startTakeoverTeam();
    log = await startFrameLog(team.bus);
    await team.start('ingest', 'one');
    await team.start('scheduler', 'one');
  });
  afterEach(async () => {
    await log?.close();
    await team?.stop();
    await camera?.stop();
  });

  test.each([
    ['tells their order', () => told],
    ['does not tell their order', () => untold],
  ])('that %s goes on in ascending n and times', async (_, file) => {
    camera = await startRtspServer(file());
    const of = (name: string) => team.arrivals.filter(({ record }) => record.algorithm === name);
    for (let change = 0; change <= CHANGES; change += 1) {
      const algorithms = [every('kept', KEPT_FRAMES), every(`changed-${change}`, 3)];
      await team.play('cam', camera.url, { mode: 'realtime', pixelFormat: 'gray', algorithms });
      await eventually('results', () => of(`changed-${change}`).length >= 6, 60_000);
    }
    const epochs = new Set(log.frames.map(({ epoch }) => epoch));
    expect(epochs.size).toBe(1 + CHANGES);
    for (const epoch of epochs) {
      const frames = log.frames.filter((frame) => frame.epoch === epoch);
      isAscending(frames.map(({ n }) => n));
      isAscending(frames.map(({ presentationTimeUs }) => presentationTimeUs));
    }
    expect(new Set(team.arrivals.map(({ record }) => record.run)).size).toBe(1);
    // What two epochs both publish is answered once, and in one time.
    expect(outOfOrder(team.arrivals)).toEqual([]);
    for (const name of new Set(team.arrivals.map(({ record }) => record.algorithm)))
      isAscending(of(name).map(({ record }) => record.timestampMs));
    expect(of('kept').every(({ record }) => record.n % KEPT_FRAMES === 0)).toBe(true);
  });
});
