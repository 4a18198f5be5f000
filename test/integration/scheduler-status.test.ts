import { type LaneStatus, onLanes } from '@stream-infer/bus/announcements';
import { expect, test } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { untilEnded } from '../harness/result-log.ts';
import { schedulerWorld } from '../harness/scheduler-world.ts';
import { startIngest } from '../harness/scripted-ingest.ts';
import { algorithm, sourceFacts, streamSpec } from '../model/specs.ts';

const world = schedulerWorld();

test('a scheduler announces each second how the algorithms of a run are getting on, and the last figures at its end (S-2)', async () => {
  await world.runner({ id: 'one', definitions: ['a'], answer: () => Promise.resolve({ data: 1 }) });
  const told: LaneStatus[] = [];
  onLanes(world.bus, '*', (status) => told.push(status));
  const spec = streamSpec({ mode: 'realtime', fps: '20', algorithms: [algorithm({ intervalFrames: 5 })] });
  const ingest = await startIngest(world.bus, spec, sourceFacts({ fps: '20', sampling: 'time', live: true }));
  await ingest.play(40, 50);
  const first = await eventually('an announcement of a result', () =>
    told.find((one) => (one.algorithms.a?.completed ?? 0) > 0),
  );
  expect(first).toMatchObject({ stream: 'lobby', run: 'r1', algorithms: { a: { failed: 0, dropped: {} } } });
  expect(first.algorithms.a?.lastResultAgeMs).toBeLessThan(2_000);
  expect(first.algorithms.a?.lateMs).toBeTypeOf('number');
  await ingest.end();
  const { end } = await untilEnded(world.bus, 'lobby');
  await eventually(
    'the figures of the end',
    () => told.at(-1)?.algorithms.a?.completed === end.algorithms.a?.completed,
  );
  expect(told.at(-1)?.algorithms.a).toMatchObject({ ...end.algorithms.a });
});

test('of an algorithm that fails the last error is announced, without credentials (S-2)', async () => {
  const refusal = { code: 'ALGORITHM_FAILED', message: 'rtsp://me:s3cret@camera/1 is no model' } as const;
  await world.runner({ id: 'two', definitions: ['b'], answer: ({ n }) => (n < 20 ? refusal : { data: 1 }) });
  const told: LaneStatus[] = [];
  onLanes(world.bus, 'gate', (status) => told.push(status));
  const one = algorithm({ name: 'b', definition: 'b', intervalFrames: 5, maxAttempts: 1 });
  const spec = streamSpec({ id: 'gate', mode: 'realtime', fps: '20', algorithms: [one] });
  const ingest = await startIngest(world.bus, spec, sourceFacts({ fps: '20', sampling: 'time', live: true }));
  await ingest.play(40, 50);
  await ingest.end();
  await untilEnded(world.bus, 'gate');
  const last = await eventually('successes behind errors', () =>
    told.find(({ algorithms: { b } }) => (b?.completed ?? 0) > 0 && (b?.failed ?? 0) > 0),
  );
  const message = expect.stringContaining('rtsp://***@camera/1');
  expect(last.algorithms.b?.lastError).toEqual({ code: 'ALGORITHM_FAILED', message });
  expect(JSON.stringify(told)).not.toContain('s3cret');
});
