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
