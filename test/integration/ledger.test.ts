/** The ledger over processes (I1): an ingest and a scheduler, each accounting for its part, and what becomes of what is taken from them. */

import { openMembers, openStreams } from '@stream-infer/bus/registry';
import type { StreamSpec } from '@stream-infer/core/stream-spec';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type ClipFolder, clipFolder, testPicture } from '../harness/clips.ts';
import { everyFrame, streamSpec as sourceSpec } from '../harness/decoded-source.ts';
import { eventually } from '../harness/eventually.ts';
import { fated, ledgersOf, settled } from '../harness/ledgers.ts';
import { resultLog, untilEnded } from '../harness/result-log.ts';
import { schedulerWorld } from '../harness/scheduler-world.ts';
import { startIngest } from '../harness/scripted-ingest.ts';
import { type ServiceProcess, startService } from '../harness/service-process.ts';
import { algorithm, sourceFacts, streamSpec } from '../model/specs.ts';

const world = schedulerWorld();

let clips: ClipFolder;
let clip: string;
beforeAll(async () => {
  clips = await clipFolder();
  clip = await clips.clip('clip.mp4', ...testPicture('64x48', '10', 6));
});
afterAll(async () => clips?.remove());

const ingests: ServiceProcess[] = [];
afterEach(async () => {
  for (const ingest of ingests.splice(0)) await ingest.stop();
});

const unaccountedIn = async (service: ServiceProcess): Promise<number[]> => {
  const text = await (await fetch(`${service.addresses.http}/metrics`)).text();
  return [...text.matchAll(/^stream_infer_unaccounted_\w+\{.*\} (\S+)$/gm)].map(([, value]) => Number(value));
};

/** Plays the clip with a real ingest to its end; every scrape on the way and after it. */
async function play(different: Partial<StreamSpec>) {
  const ingest = await startService('ingest', world.environment);
  ingests.push(ingest);
  const scrapes: number[] = [];
  const scrape = async (): Promise<void> => {
    for (const service of [ingest, world.scheduler]) scrapes.push(...(await unaccountedIn(service)));
  };
  await (await openStreams(world.bus)).put('cam', sourceSpec(clip, different));
  await eventually('the end of its run', async () => {
    await scrape();
    return (await resultLog(world.bus)).ends.length === 1;
  });
  await eventually('nothing is open', async () => {
    await scrape();
    const { frames, algorithms } = (await ledgersOf(world.scheduler)).cam ?? {};
    const open = (await ledgersOf(ingest)).cam?.frames.open;
    return open === 0 && frames?.open === 0 && Object.values(algorithms ?? {}).every((one) => one.open === 0);
  });
  for (let i = 0; i < 3; i += 1) await scrape();
  const decoded = (await ledgersOf(ingest)).cam?.frames;
  const received = (await ledgersOf(world.scheduler)).cam;
  if (!decoded || !received?.algorithms) throw new Error('no ledger of the stream');
  return { scrapes, decoded, received: received.frames, algorithms: received.algorithms };
}

describe('an undisturbed run', () => {
  test('offline has 0 unaccounted in every scrape, and its sums agree', async () => {
    await world.runner({ id: 'one', definitions: ['a'], answer: () => ({ data: 1 }) });
    const pair = { ...everyFrame, frameCount: 2, frameStep: 1, intervalFrames: 5 };
    const { scrapes, decoded, received, algorithms } = await play({ fps: '5', position: '1', algorithms: [pair] });
    expect(scrapes.length).toBeGreaterThan(9);
    expect(new Set(scrapes)).toEqual(new Set([0]));
    expect(decoded).toMatchObject({
      entered: 60,
      handedOver: 10,
      open: 0,
      fates: { 'not-needed': { 'before-start': 10, skipped: 25, 'no-algorithm': 15 } },
    });
    expect(received).toMatchObject({ entered: 10, open: 0, fates: { used: 10 } });
    expect(settled(decoded) + settled(received)).toBe(decoded.entered);
    expect(algorithms.a).toMatchObject({ entered: 5, open: 0, fates: { completed: 5 } });
  });

  test('in realtime too, where newer windows replace what waits', async () => {
    await world.runner({
      id: 'one',
      definitions: ['a'],
      answer: async () => {
        await new Promise((resolve) => setTimeout(resolve, 350));
        return { data: 1 };
      },
    });
    const algorithms = [{ ...everyFrame, maxInFlight: 1, maxStalenessMs: 2_000 }];
    const played = await play({ mode: 'realtime', algorithms });
    expect(new Set(played.scrapes)).toEqual(new Set([0]));
    const { decoded, received } = played;
    expect(decoded.entered).toBe(60);
    expect(received.entered).toBe(decoded.handedOver);
    expect(settled(decoded) + settled(received)).toBe(60);
    const { a } = played.algorithms;
    if (!a) throw new Error('no ledger of the algorithm');
    expect(settled(a)).toBe(a.entered);
    expect(fated(a, 'replaced')).toBeGreaterThan(5);
    // One frame a window: what became of the window became of the frame.
    expect(fated(received, 'replaced')).toBe(fated(a, 'replaced'));
    expect(fated(received, 'used')).toBe(fated(a, 'completed'));
  });
});

test('a frame that is deleted from its buffer is a gap, and its window has no result', async () => {
  await world.scheduler.stop();
  const spec = streamSpec({ mode: 'realtime', fps: '10', algorithms: [algorithm({ intervalFrames: 1 })] });
  const ingest = await startIngest(world.bus, spec, sourceFacts({ fps: '10', sampling: 'time', live: true }));
  await ingest.play(10);
  await ingest.deleteFrame(5);
  const scheduler = await world.startScheduler();
  await ingest.end();
  await world.runner({ id: 'one', definitions: ['a'], answer: () => ({ data: 1 }) });
  await untilEnded(world.bus, 'lobby');
  const ledger = await eventually('nothing is open', async () => {
    const { lobby } = await scheduler.ledger();
    return lobby?.frames.open === 0 && lobby.frames.entered === 10 ? lobby : undefined;
  });
  expect(ledger.frames.unaccounted).toBe(0);
  expect(ledger.frames.fates.gap).toEqual({ unread: 1 });
  expect(settled(ledger.frames)).toBe(10);
  expect(ledger.algorithms?.a).toMatchObject({ entered: 10, fates: { expired: { 'frame-lost': 1 } } });
});

test('an invocation that is never answered is open until its limit, then dead-lettered', async () => {
  await world.runner({ id: 'one', definitions: ['a'], answer: ({ n }) => (n === 2 ? undefined : { data: 1 }) });
  const limited = algorithm({ intervalFrames: 1, timeoutMs: 100, maxAttempts: 1 });
  const ingest = await startIngest(world.bus, streamSpec({ algorithms: [limited] }), sourceFacts());
  await ingest.play(3);
  await ingest.end();
  const ledger = async () => (await world.scheduler.ledger()).lobby?.algorithms?.a;
  const held = await eventually('two wait behind it', async () => {
    const now = await ledger();
    return now?.entered === 3 && fated(now, 'completed') === 1 ? now : undefined;
  });
  // The third is answered and waits for its turn.
  expect(held).toMatchObject({ open: 2, unaccounted: 0 });
  await untilEnded(world.bus, 'lobby');
  const over = await eventually('nothing is open', async () => {
    const now = await ledger();
    return now?.open === 0 ? now : undefined;
  });
  expect(over).toMatchObject({ entered: 3, unaccounted: 0, fates: { completed: 2, 'dead-lettered': 1 } });
});

test('what a scheduler that was killed had in hand is lost with it, and counted by the one that takes over (L-7)', async () => {
  await world.runner({ id: 'one', definitions: ['a'], answer: ({ n }) => (n <= 6 ? undefined : { data: 1 }) });
  const patient = algorithm({ intervalFrames: 1, timeoutMs: 60_000, maxStalenessMs: 60_000, maxInFlight: 1 });
  const spec = streamSpec({ mode: 'realtime', fps: '10', algorithms: [patient] });
  const ingest = await startIngest(world.bus, spec, sourceFacts({ fps: '10', sampling: 'time', live: true }));
  await eventually(
    'it is connected',
    async () => (await world.scheduler.metric('stream_infer_runners_connected')) === 1,
  );
  await ingest.play(6, 20);
  const members = await openMembers(world.bus);
  await eventually('its beat tells of them', async () =>
    (await members.entries()).some(({ value }) => value.held?.lobby?.newest?.n === 6),
  );
  const before = (await world.scheduler.ledger()).lobby;
  // The first is under way, the newest waits, the others were replaced.
  expect(before?.algorithms?.a).toMatchObject({ entered: 6, open: 2, unaccounted: 0, fates: { replaced: 4 } });
  world.scheduler.process.kill('SIGKILL');
  const successor = await world.startScheduler();
  await eventually('it has taken over', async () => (await successor.ledger()).lobby !== undefined);
  await ingest.play(2, 500);
  await ingest.end();
  const { end } = await untilEnded(world.bus, 'lobby');
  const after = await eventually('nothing is open', async () => {
    const { lobby } = await successor.ledger();
    return lobby?.frames.open === 0 && lobby.algorithms?.a?.open === 0 ? lobby : undefined;
  });
  const counted = { entered: 2, open: 0, unaccounted: 0 };
  expect(after.algorithms?.a).toMatchObject({
    ...counted,
    takenOver: 2,
    fates: { 'lost-with-process': 2, completed: 2 },
  });
  // Frames are let go of in order: the replaced ones stood behind the first.
  expect(after.frames).toMatchObject({ ...counted, takenOver: 6, fates: { 'lost-with-process': 6, used: 2 } });
  expect(end.algorithms.a).toEqual({
    triggered: 8,
    completed: 2,
    failed: 0,
    dropped: { replaced: 4, 'lost-with-process': 2 },
  });
});
