import type { Bucket, Entry } from '@stream-infer/bus/bucket';
import type { Run, RunState } from '@stream-infer/core/run';
import type { StreamSpec } from '@stream-infer/core/stream-spec';
import { expect, test } from 'vitest';
import { epochsOf, isPlayable, NOBODY, RunClaim } from './run-claim.ts';

const value: StreamSpec = {
  id: 'cam',
  source: 'a.mp4',
  mode: 'offline',
  pixelFormat: 'bgr24',
  encoding: 'raw',
  position: '0',
  videoStream: 0,
  algorithms: [],
};
const spec: Entry<StreamSpec> = { key: 'cam', value, revision: 7 };
const run = (state: RunState, over: Partial<Run> = {}): Entry<Run> => ({
  key: 'cam',
  revision: 12,
  value: {
    run: 'r',
    stream: 'cam',
    epoch: 11,
    owner: 'a',
    spec: value,
    specRevision: 7,
    startedAtMs: 0,
    state,
    ...over,
  },
});
const failed: RunState = { kind: 'failed', fault: { code: 'SOURCE_EMPTY', message: '' } };

test('a stream is played that never was, that changed since, or whose run was left in the middle', () => {
  expect(isPlayable(spec, undefined)).toBe(true);
  expect(isPlayable(spec, run({ kind: 'ended' }, { specRevision: 6 }))).toBe(true);
  expect(isPlayable(spec, run(failed, { specRevision: 6 }))).toBe(true);
  expect(isPlayable(spec, run({ kind: 'claimed' }, { owner: NOBODY }))).toBe(true);
});

test('a revision of a spec that came to its end is not played again', () => {
  expect(isPlayable(spec, run({ kind: 'ended' }))).toBe(false);
  expect(isPlayable(spec, run(failed))).toBe(false);
});

/** One key with revisions, as the bus has it. */
function oneKey() {
  let standing: Entry<Run> | undefined;
  let revision = 10;
  const put = (key: string, value: Run): Promise<number> => {
    revision += 1;
    standing = { key, value, revision };
    return Promise.resolve(revision);
  };
  const runs: Pick<Bucket<Run>, 'create' | 'update' | 'get'> = {
    create: (key, value) => (standing ? Promise.resolve(undefined) : put(key, value)),
    update: (key, value, at) => (standing?.revision === at ? put(key, value) : Promise.resolve(undefined)),
    get: () => Promise.resolve(standing),
  };
  const take = (owner: string) => RunClaim.take({ runs: runs as Bucket<Run>, owner, spec, standing });
  return { take, standing: () => standing };
}

test('a buffer is known of until one who opens the next epoch deletes it, however many never came to open theirs', async () => {
  const { take, standing } = oneKey();
  const first = await take('one');
  expect(first?.left).toEqual([]);
  first?.opens();
  const second = await first?.next();
  const third = await second?.next();
  expect(third?.left).toEqual([first?.epoch]);
  await third?.giveBack(undefined);
  const fourth = await take('two');
  expect(fourth?.left).toEqual([first?.epoch, third?.epoch]);
  // It dies before it opens, and after.
  const fifth = await take('three');
  expect(fifth?.left).toEqual([first?.epoch, third?.epoch, fourth?.epoch]);
  fifth?.opens();
  await fifth?.write({ kind: 'claimed' });
  expect(standing()?.value.left).toBeUndefined();
  const sixth = await take('four');
  expect([sixth?.left, sixth?.continues, first?.continues]).toEqual([[fifth?.epoch], true, false]);
});

test('what is known of a live source goes from claim to claim, though none of them comes to play', async () => {
  const source = {
    width: 64,
    height: 48,
    fps: '25',
    sampling: 'time',
    timeBase: '1/90000',
    live: true,
    codec: 'h264',
  } as const;
  const frame = { width: 64, height: 48, pixelFormat: 'gray', encoding: 'raw', bytesPerFrame: 3_072 } as const;
  const { take, standing } = oneKey();
  const first = await take('one');
  expect(first?.known).toBeUndefined();
  await first?.write({ kind: 'playing', source, frame, frames: 'f', capacity: 4, notices: [] });
  const dies = await take('two');
  expect(dies?.known).toEqual(source);
  const second = await take('three');
  const third = await second?.next();
  expect(third?.known).toEqual(source);
  await third?.giveBack(undefined);
  expect(standing()?.value.state).toEqual({ kind: 'claimed', source });
});

test('who takes a run that is offered knows how far it has come, and what its next epoch deletes; an epoch later that is no more', async () => {
  const source = { width: 1, height: 1, fps: '1', sampling: 'time', timeBase: '1', live: true, codec: 'h264' } as const;
  const frame = { width: 1, height: 1, pixelFormat: 'gray', encoding: 'raw', bytesPerFrame: 1 } as const;
  const facts = { source, frame, frames: 'f', capacity: 4, notices: [] };
  const newest = { n: 90, atMs: 9_000 };
  const { take, standing } = oneKey();
  const first = await take('one');
  first?.opens();
  expect(await first?.offer(newest, facts)).toBe(true);
  expect(standing()?.value).toMatchObject({ owner: NOBODY, epoch: first?.epoch, newest, state: { kind: 'playing' } });
  const second = await take('two');
  expect([second?.isOffered, second?.newest, second?.left, second?.known]).toEqual([
    true,
    newest,
    [first?.epoch],
    source,
  ]);
  expect(standing()?.value.newest).toBeUndefined();
  expect(await first?.giveBack(newest)).toBe(false);
  expect((await second?.next())?.isOffered).toBe(false);
  const third = await take('three');
  expect([third?.isOffered, third?.newest]).toEqual([false, undefined]);
  await third?.giveBack(newest);
  const fourth = await take('four');
  expect([fourth?.isOffered, fourth?.newest]).toEqual([false, newest]);
});

test('a run of a live source goes on under a spec with other algorithms, and of no other', async () => {
  const source = { width: 1, height: 1, fps: '1', sampling: 'time', timeBase: '1', live: true, codec: 'h264' } as const;
  const realtime: StreamSpec = { ...value, mode: 'realtime', source: 'rtsp://camera/1' };
  const takes = async (standing: Entry<Run>, changed: StreamSpec): Promise<boolean | undefined> => {
    const runs: Pick<Bucket<Run>, 'update'> = { update: () => Promise.resolve(13) };
    const entry = { key: 'cam', value: changed, revision: 8 };
    return (await RunClaim.take({ runs: runs as Bucket<Run>, owner: 'b', spec: entry, standing }))?.continues;
  };
  const live = run({ kind: 'claimed', source }, { spec: realtime });
  expect(await takes(live, { ...realtime, buffer: 9 })).toBe(true);
  expect(await takes(live, { ...realtime, fps: '5' })).toBe(false);
  expect(await takes(live, realtime)).toBe(false);
  expect(await takes(run({ kind: 'claimed' }, { spec: realtime }), { ...realtime, buffer: 9 })).toBe(false);
  expect(await takes(run(failed, { spec: realtime }), { ...realtime, buffer: 9 })).toBe(false);
});

test('a run that its ingest left in the middle leaves its buffers to the next, one that ended is still read', () => {
  expect(epochsOf(run({ kind: 'claimed' }, { epoch: 0, left: [3, 5] }))).toEqual([3, 5, 12]);
  expect(epochsOf(run({ kind: 'ended' }))).toEqual([11]);
});
