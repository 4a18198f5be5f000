/** Two ingests and two schedulers share four streams; one of each is killed, and the others go on with what it had (D11). */

import { canonicalJson } from '@stream-infer/core/canonical-json';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type ClipFolder, clipFolder, testPicture } from '../harness/clips.ts';
import { everyFrame } from '../harness/decoded-source.ts';
import { eventually } from '../harness/eventually.ts';
import type { ServiceProcess } from '../harness/service-process.ts';
import { startSingleViewerCamera } from '../harness/single-viewer-camera.ts';
import { killed, outOfOrder, startTakeoverTeam, type TakeoverTeam } from '../harness/takeover-team.ts';

const STREAMS = ['a', 'b', 'c', 'd'];
const DRAIN_TIMEOUT_MS = 10_000;
let team: TakeoverTeam;
let clips: ClipFolder;
let ingests: ServiceProcess[];
let schedulers: ServiceProcess[];

beforeAll(async () => {
  clips = await clipFolder();
});
afterAll(() => clips?.remove());
beforeEach(async () => {
  team = await startTakeoverTeam();
  ingests = await Promise.all(['one', 'two'].map((id) => team.start('ingest', id)));
  schedulers = await Promise.all(['one', 'two'].map((id) => team.start('scheduler', id)));
});
afterEach(() => team?.stop());

/** What is answered, wherever it was. */
const answersOf = (id: string): string[] =>
  team.arrivals
    .filter(({ record }) => record.stream === id)
    .map(({ record: { run: _run, stream: _stream, attempts: _attempts, ...answer } }) => canonicalJson(answer));
const untilOver = (ids: readonly string[]): Promise<unknown> =>
  eventually(
    `the ends of ${ids.join(', ')}`,
    () => ids.every((id) => team.ends.some(({ stream }) => stream === id)),
    60_000,
  );

test('two jobs come to the results of jobs that nobody disturbed (I2, I5)', async () => {
  const clip = await clips.clip('job.mp4', ...testPicture('64x48', '25', 12));
  const algorithm = {
    ...everyFrame,
    name: 'content',
    definition: 'content',
    frameCount: 3,
    frameStep: 2,
    intervalFrames: 2,
  };
  const job = (id: string) => team.play(id, clip, { pixelFormat: 'gray', algorithms: [algorithm] });
  await Promise.all(['calm1', 'calm2'].map(job));
  await untilOver(['calm1', 'calm2']);
  const calm = answersOf('calm1');
  expect(calm.length).toBe(148);
  await Promise.all(['job1', 'job2'].map(job));
  await eventually('both are at work', () => ['job1', 'job2'].every((id) => answersOf(id).length > 20));
  expect(await team.shares('ingest')).toEqual({ one: 1, two: 1 });
  await Promise.all([ingests[0], schedulers[0]].map(async (service) => service && killed(service)));
  expect(['job1', 'job2'].some((id) => answersOf(id).length === calm.length)).toBe(false);
  await untilOver(['job1', 'job2']);
  for (const id of ['calm2', 'job1', 'job2']) expect(answersOf(id), id).toEqual(calm);
  expect(team.ends.map(({ fault }) => fault)).toEqual([null, null, null, null]);
});

test('what they had goes on with the others: no result twice, in order, in the same run, and nothing is left of the epochs before', async () => {
  for (const id of STREAMS)
    await team.play(id, 'lavfi:testsrc=size=32x32:rate=5', {
      mode: 'realtime',
      pixelFormat: 'gray',
      algorithms: [everyFrame],
    });
  await eventually('an even share', async () => {
    const [ingest, scheduler] = [await team.shares('ingest'), await team.shares('scheduler')];
    return [ingest, scheduler].every(({ one, two }) => one === 2 && two === 2);
  });
  await team.untilAnswered(STREAMS, performance.now());

  const killedAtMs = performance.now();
  await Promise.all([ingests[0], schedulers[1]].map(async (service) => service && killed(service)));
  await eventually('all of it is with the others', async () => {
    const [ingest, scheduler] = [await team.shares('ingest'), await team.shares('scheduler')];
    return ingest.two === 4 && scheduler.one === 4;
  });
  await team.untilAnswered(STREAMS, performance.now());

  console.info(`longest time without a result: ${Math.round(team.longestGapMs(STREAMS, killedAtMs))} ms`);
  expect(outOfOrder(team.arrivals)).toEqual([]);
  expect(new Set(team.arrivals.map(({ record }) => record.run)).size).toBe(STREAMS.length);
  expect(team.ends).toEqual([]);
  const buffers = (await team.bus.manager.streams.list().next()).map(({ config }) =>
    team.bus.topology.streamOfFrames(config.name),
  );
  expect(buffers.filter((id) => id !== undefined).sort()).toEqual(STREAMS);
});

test('an ingest that stops hands its cameras over while they play: not one due window is missed, though windows span three frames', async () => {
  const interval = 5;
  const algorithm = { ...everyFrame, frameCount: 3, frameStep: 1, intervalFrames: interval };
  for (const id of STREAMS)
    await team.play(id, 'lavfi:testsrc=size=32x32:rate=10', {
      mode: 'realtime',
      pixelFormat: 'gray',
      algorithms: [algorithm],
    });
  await eventually('an even share', async () => {
    const { one, two } = await team.shares('ingest');
    return one === 2 && two === 2;
  });
  await team.untilAnswered(STREAMS, performance.now());
  expect(await ingests[0]?.stop(), 'it exits').toBe(0);
  await team.untilAnswered(STREAMS, performance.now());
  expect((await team.shares('ingest')).two).toBe(4);

  for (const id of STREAMS) {
    const numbers = team.arrivals.filter(({ record }) => record.stream === id).map(({ record }) => record.n);
    const first = numbers[0] ?? 0;
    expect(numbers, id).toEqual(numbers.map((_, at) => first + at * interval));
  }
  expect(new Set(team.arrivals.map(({ record }) => record.run)).size).toBe(STREAMS.length);
  expect(team.arrivals.filter(({ record }) => record.error !== undefined)).toEqual([]);
  expect(team.ends).toEqual([]);
  await eventually('the buffers of the epochs before are gone', async () => {
    const buffers = await team.bus.manager.streams.list().next();
    return buffers.filter(({ config }) => team.bus.topology.streamOfFrames(config.name)).length === STREAMS.length;
  });
});

async function playAll(): Promise<void> {
  for (const id of STREAMS)
    await team.play(id, 'lavfi:testsrc=size=32x32:rate=10', {
      mode: 'realtime',
      pixelFormat: 'gray',
      algorithms: [everyFrame],
    });
  await team.untilAnswered(STREAMS, performance.now());
}

test('ingests that all stop wait for nobody to take what they have, but not for long', async () => {
  await playAll();
  const stoppedAtMs = performance.now();
  expect(await Promise.all(ingests.map((ingest) => ingest.stop()))).toEqual([0, 0]);
  // A stop that comes to its end only by its limit takes all of it.
  expect(performance.now() - stoppedAtMs).toBeLessThan(DRAIN_TIMEOUT_MS);
  const next = await team.start('ingest', 'three');
  await team.untilAnswered(STREAMS, performance.now());
  expect(outOfOrder(team.arrivals)).toEqual([]);
  expect(await next.stop()).toBe(0);
});

test('a camera that one may watch at a time goes over too, after a refusal that counts as no loss', async () => {
  const camera = await startSingleViewerCamera(10);
  try {
    await team.play('solo', camera.url, { mode: 'realtime', pixelFormat: 'gray', algorithms: [everyFrame] });
    await team.untilAnswered(['solo'], performance.now());
    const beganMs = performance.now();
    const owner = Object.keys(await team.shares('ingest')).indexOf('one') >= 0 ? 0 : 1;
    expect(await ingests[owner]?.stop(), 'it exits').toBe(0);
    await team.untilAnswered(['solo'], performance.now());
    console.info(`longest time without a result: ${Math.round(team.longestGapMs(['solo'], beganMs))} ms`);
    expect(camera.refused).toBeGreaterThan(0);
    const next = ingests[1 - owner] as ServiceProcess;
    expect(await team.metric(next, 'stream_infer_source_changes_total{[^}]*state="reconnecting"[^}]*}')).toBeNaN();
    expect(outOfOrder(team.arrivals)).toEqual([]);
    expect(new Set(team.arrivals.map(({ record }) => record.run)).size).toBe(1);
  } finally {
    await camera.close();
  }
});

test('a stream that is removed while it changes hands leaves no buffer', async () => {
  await playAll();
  const stopping = ingests[0]?.stop();
  await eventually('all are played by the other', async () => (await team.shares('ingest')).two === 4);
  // The buffers of the epochs before stand for two seconds.
  for (const id of STREAMS) await team.remove(id);
  expect(await stopping).toBe(0);
  await eventually('no buffer is left', async () => {
    const buffers = await team.bus.manager.streams.list().next();
    return buffers.every(({ config }) => team.bus.topology.streamOfFrames(config.name) === undefined);
  });
});
