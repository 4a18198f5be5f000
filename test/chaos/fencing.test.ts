/**
 * An ingest, and a scheduler, is stopped for longer than its lease and goes on behind another's back: the registry's news of that is kept from
 * it, so that nothing but the server's refusals tells (EX-1, D11). What it publishes is refused, it stands down by itself, and neither a frame nor
 * a result stands twice or out of order.
 */

import { openRuns, type Role } from '@stream-infer/bus/registry';
import { bucketSubjectPrefix } from '@stream-infer/bus/topology';
import { canonicalJson } from '@stream-infer/core/canonical-json';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type BusWire, startBusWire } from '../harness/bus-wire.ts';
import { type ClipFolder, clipFolder, testPicture } from '../harness/clips.ts';
import { everyFrame } from '../harness/decoded-source.ts';
import { eventually } from '../harness/eventually.ts';
import { type FrameLog, framesOutOfOrder, startFrameLog } from '../harness/frame-log.ts';
import type { ServiceProcess } from '../harness/service-process.ts';
import { outOfOrder, startTakeoverTeam, type TakeoverTeam } from '../harness/takeover-team.ts';

/** A job that is answered window by window, twice. */
const LIMIT_MS = 240_000;
const CAMERAS = ['cam0', 'cam1'];
const STREAMS = [...CAMERAS, 'job'];
/** Of the server: wrong last sequence; and nothing listens there, as on the subject of a buffer that was deleted. */
const WRONG_SEQUENCE = 10071;
const NO_RESPONDERS = 503;
const content = {
  ...everyFrame,
  name: 'content',
  definition: 'content',
  frameCount: 3,
  frameStep: 2,
  intervalFrames: 2,
};

let clips: ClipFolder;
let team: TakeoverTeam;
let wire: BusWire;
let frames: FrameLog;
/** The one that is cut off. */
let one: ServiceProcess;

beforeAll(async () => {
  clips = await clipFolder();
});
afterAll(() => clips?.remove());
beforeEach(async () => {
  team = await startTakeoverTeam();
  wire = await startBusWire(team.url);
  frames = await startFrameLog(team.bus);
});
afterEach(async () => {
  await frames?.close();
  await team?.stop();
  await wire?.close();
});

/** What is answered, whichever run it was. */
const answersOf = (id: string): string[] =>
  team.arrivals
    .filter(({ record }) => record.stream === id)
    .map(({ record: { run: _run, stream: _stream, attempts: _attempts, ...answer } }) => canonicalJson(answer));
const untilOver = (id: string): Promise<unknown> =>
  eventually(`the end of ${id}`, () => team.ends.some(({ stream }) => stream === id), 90_000);

/** Two cameras and a job, all of them with `one` of this role; and what the job's answers are where nobody disturbs it. */
async function playedByOne(role: Role): Promise<readonly string[]> {
  await team.start(role === 'ingest' ? 'scheduler' : 'ingest', 'other');
  one = await team.start(role, 'one', wire.url);
  const clip = await clips.clip('job.mp4', ...testPicture('64x48', '25', 20));
  const job = (id: string, maxInFlight: number) =>
    team.play(id, clip, { pixelFormat: 'gray', algorithms: [{ ...content, maxInFlight }] });
  await job('calm', 8);
  await untilOver('calm');
  await team.remove('calm');
  const source = 'lavfi:testsrc=size=32x32:rate=4';
  const camera = { mode: 'realtime', pixelFormat: 'gray', algorithms: [everyFrame] } as const;
  for (const id of CAMERAS) await team.play(id, source, camera);
  await job('job', 1);
  await eventually('all are played', async () => (await team.shares(role)).one === STREAMS.length);
  await team.untilAnswered(STREAMS, performance.now());
  await eventually('the job is at work', () => answersOf('job').length > 20);
  return answersOf('calm');
}

/** `one` is stopped until `two` has all of its streams, and goes on without being told. */
async function goesOnBehind(role: Role): Promise<void> {
  const { runs, assignments, members } = team.bus.topology.buckets;
  const registry = [runs, assignments, members].map(bucketSubjectPrefix);
  wire.hold((subject) => registry.some((prefix) => subject.startsWith(prefix)));
  one.process.kill('SIGSTOP');
  await team.start(role, 'two');
  await eventually('the other has all', async () => (await team.shares(role)).two === STREAMS.length, 60_000);
  // Also of the job: as long as the other has published nothing, nothing of this one is refused.
  await team.untilAnswered(STREAMS, performance.now());
  expect(team.ends.map(({ stream }) => stream)).toEqual(['calm']);
  one.process.kill('SIGCONT');
  const fenced = `stream_infer_${role}_fenced_total`;
  await eventually('it has stood down from all', async () => (await team.metric(one, fenced)) === STREAMS.length);
}

/** Each result and frame is there once, in order; the job's answers are those of a job that nobody disturbed; no run was begun anew. */
async function isWhole(calm: readonly string[]): Promise<void> {
  await untilOver('job');
  expect(answersOf('job')).toEqual(calm);
  expect(outOfOrder(team.arrivals)).toEqual([]);
  expect(framesOutOfOrder(frames.frames)).toEqual([]);
  expect(new Set(team.arrivals.map(({ record }) => record.run)).size).toBe(1 + STREAMS.length);
  expect(team.ends.map(({ stream, fault }) => [stream, fault])).toEqual([
    ['calm', null],
    ['job', null],
  ]);
}

/** Once it is told, it is one of two again. */
async function isBack(role: Role): Promise<void> {
  wire.release();
  await eventually('an even share', async () => (await team.shares(role)).one === 1);
  await team.untilAnswered(CAMERAS, performance.now());
  expect([one.process.exitCode, one.process.signalCode]).toEqual([null, null]);
}

const refusalsOf = (subject: string): readonly number[] =>
  wire.refusals.filter((refusal) => refusal.subject === subject).map(({ code }) => code);

test(
  'an ingest: the buffer of its epoch is gone, and the server refuses what it writes of the run',
  async () => {
    const calm = await playedByOne('ingest');
    const epochs = new Map((await (await openRuns(team.bus)).entries()).map(({ key, value }) => [key, value.epoch]));
    await goesOnBehind('ingest');
    const { topology } = team.bus;
    for (const id of STREAMS) {
      const epoch = epochs.get(id) ?? 0;
      // The job may find its buffer gone while it waits for frames to be released, before it publishes another.
      if (id !== 'job')
        expect([...new Set(refusalsOf(topology.framesSubject(id, epoch)))], id).toEqual([NO_RESPONDERS]);
      expect(refusalsOf(bucketSubjectPrefix(topology.buckets.runs) + id), id).toContain(WRONG_SEQUENCE);
    }
    await isBack('ingest');
    await isWhole(calm);
  },
  LIMIT_MS,
);

test(
  'a scheduler: the server refuses its results, which would stand behind some that it does not know',
  async () => {
    const calm = await playedByOne('scheduler');
    await goesOnBehind('scheduler');
    const runOf = (id: string): string => team.arrivals.find(({ record }) => record.stream === id)?.record.run ?? '';
    const isRefused = (id: string): boolean => {
      const subject = team.bus.topology.resultSubject(id, runOf(id), id === 'job' ? content.name : everyFrame.name);
      return refusalsOf(subject).includes(WRONG_SEQUENCE);
    };
    // One that was publishing just when it was stopped may read first what stands there.
    expect(STREAMS.filter(isRefused).length).toBeGreaterThanOrEqual(STREAMS.length - 1);
    await isBack('scheduler');
    await isWhole(calm);
  },
  LIMIT_MS,
);
