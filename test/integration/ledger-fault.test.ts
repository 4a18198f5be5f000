/**
 * The ledger can fail (I1): `unaccounted` is computed of what came in, what has a fate, and what is held, each counted apart. What is
 * really lost, here a frame that is deleted from the buffer and a result that its runner never gives, has its fate as soon as the
 * scheduler can know of it; the test withholds that fate from the scheduler's book, as a defect would, and every scrape shows 1 until it is
 * booked.
 */

import { afterEach, expect, test, vi } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { untilEnded } from '../harness/result-log.ts';
import { type SchedulerHere, startSchedulerHere } from '../harness/scheduler-here.ts';
import { schedulerWorld } from '../harness/scheduler-world.ts';
import { startIngest } from '../harness/scripted-ingest.ts';
import { withheld } from '../harness/withheld-fate.ts';
import { algorithm, sourceFacts, streamSpec } from '../model/specs.ts';

const FRAMES = 'stream_infer_unaccounted_frames';
const INVOCATIONS = 'stream_infer_unaccounted_invocations';
const LOBBY = 'stream="lobby"';
const LOBBY_A = 'stream="lobby",algorithm="a"';

const world = schedulerWorld();
let scheduler: SchedulerHere | undefined;
afterEach(async () => {
  vi.restoreAllMocks();
  await scheduler?.stop();
});

test('a frame that is deleted from its buffer is unaccounted for until it is a gap', async () => {
  await world.scheduler.stop();
  const spec = streamSpec({ mode: 'realtime', fps: '10', algorithms: [algorithm({ intervalFrames: 1 })] });
  const ingest = await startIngest(world.bus, spec, sourceFacts({ fps: '10', sampling: 'time', live: true }));
  await ingest.play(10);
  await ingest.deleteFrame(5);
  await ingest.end();
  const gap = withheld('gap');
  scheduler = await startSchedulerHere(world.environment);
  const { scrape } = scheduler;
  await world.runner({ id: 'one', definitions: ['a'], answer: () => ({ data: 1 }) });
  await untilEnded(world.bus, 'lobby');
  await eventually('all but the deleted one have their fates', async () => {
    const fates = await scrape('stream_infer_frames_total');
    return Object.values(fates).reduce((sum, count) => sum + count, 0) === 9;
  });
  expect(gap.isHeld).toBe(true);
  expect(await scrape(FRAMES)).toEqual({ [LOBBY]: 1 });
  expect(await scrape(INVOCATIONS)).toEqual({ [LOBBY_A]: 0 });
  gap.give();
  expect(await scrape(FRAMES)).toEqual({ [LOBBY]: 0 });
  expect(await scrape('stream_infer_frames_total')).toMatchObject({ [`${LOBBY},fate="gap",reason="unread"`]: 1 });
});

test('an invocation whose result is dropped is unaccounted for until it is dead-lettered', async () => {
  await world.scheduler.stop();
  const letter = withheld('dead-lettered');
  scheduler = await startSchedulerHere(world.environment);
  const { scrape } = scheduler;
  const runner = await world.runner({
    id: 'one',
    definitions: ['a'],
    answer: ({ n }) => {
      if (n !== 2) return { data: 1 };
      runner.kill();
      return undefined;
    },
  });
  const limited = algorithm({ intervalFrames: 1, maxAttempts: 1, maxInFlight: 1 });
  const ingest = await startIngest(world.bus, streamSpec({ algorithms: [limited] }), sourceFacts());
  await ingest.play(3);
  await ingest.end();
  await eventually('its runner has died of it', () => runner.received.some(({ n }) => n === 2));
  await world.runner({ id: 'two', definitions: ['a'], answer: () => ({ data: 1 }) });
  await untilEnded(world.bus, 'lobby');
  await eventually('its fate is told', async () => {
    await scrape(INVOCATIONS);
    return letter.isHeld;
  });
  expect(await scrape(INVOCATIONS)).toEqual({ [LOBBY_A]: 1 });
  expect(await scrape(FRAMES)).toEqual({ [LOBBY]: 0 });
  letter.give();
  expect(await scrape(INVOCATIONS)).toEqual({ [LOBBY_A]: 0 });
  expect(await scrape('stream_infer_invocations_total')).toMatchObject({
    [`${LOBBY_A},fate="dead-lettered"`]: 1,
    [`${LOBBY_A},fate="completed"`]: 2,
  });
});
