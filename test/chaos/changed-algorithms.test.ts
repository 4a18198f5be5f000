/** How long an algorithm that nobody touched is without a result when others of its camera are changed (EX-10). */

import type { StreamAlgorithm } from '@stream-infer/core/stream-spec';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { everyFrame } from '../harness/decoded-source.ts';
import { eventually } from '../harness/eventually.ts';
import { CameraServer, hasRtspServer } from '../harness/rtsp-server.ts';
import { startTakeoverTeam, type TakeoverTeam } from '../harness/takeover-team.ts';

const RATE = 10;
const KEPT_FRAMES = 5;
/** Its interval and two frames. */
const LIMIT_MS = ((KEPT_FRAMES + 2) * 1_000) / RATE;
const CHANGES = 4;

const every = (name: string, intervalFrames: number): StreamAlgorithm => ({ ...everyFrame, name, intervalFrames });

let cameras: CameraServer;
let team: TakeoverTeam;

describe.skipIf(!hasRtspServer)('a camera (gst-rtsp-server of the distribution)', () => {
  beforeAll(async () => {
    cameras = await CameraServer.start({ cameras: 1, rate: RATE, gop: RATE, shared: false });
    team = await startTakeoverTeam();
    await team.start('ingest', 'one');
    await team.start('scheduler', 'one');
  });
  afterAll(async () => {
    await team?.stop();
    await cameras?.stop();
  });

  test(`gives results of what is kept within ${LIMIT_MS} ms of each other`, async () => {
    const of = (name: string) => team.arrivals.filter(({ record }) => record.algorithm === name);
    for (let change = 0; change <= CHANGES; change += 1) {
      const algorithms = [every('kept', KEPT_FRAMES), every(`changed-${change}`, 3)];
      await team.play('cam', cameras.url(0), { mode: 'realtime', pixelFormat: 'gray', algorithms });
      await eventually('results', () => of(`changed-${change}`).length >= 6, 60_000);
    }
    const times = of('kept').map(({ atMs }) => atMs);
    const gaps = times.slice(1).map((atMs, at) => Math.round(atMs - (times[at] ?? atMs)));
    console.info(`${CHANGES} changes, ms between results of what is kept: ${gaps.join(' ')}`);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(LIMIT_MS);
  });
});
