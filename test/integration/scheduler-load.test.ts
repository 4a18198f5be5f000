/** Offered load (D10): what is due, priced with what runners told, whoever is left to tell it. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { schedulerWorld } from '../harness/scheduler-world.ts';
import { startIngest } from '../harness/scripted-ingest.ts';
import { algorithm, sourceFacts, streamSpec } from '../model/specs.ts';

const directory = mkdtempSync(join(tmpdir(), 'stream-infer-load-'));
const file = join(directory, 'configuration.json');
writeFileSync(
  file,
  JSON.stringify({
    algorithms: [
      { name: 'a', use: 'frame-stats', expectedMs: 200, concurrency: 2 },
      { name: 'idle', use: 'frame-stats', concurrency: 3 },
    ],
  }),
);
afterAll(() => rmSync(directory, { recursive: true }));
const world = schedulerWorld({ STREAM_INFER_CONFIG: file });

const spec = streamSpec({ mode: 'realtime', fps: '50', algorithms: [algorithm({ intervalFrames: 5 })] });
const source = sourceFacts({ fps: '50', sampling: 'time', live: true });

test('every configured algorithm has its load at all times; what runners told of its cost outlives them and the scheduler', async () => {
  const { scheduler } = world;
  const metrics = async (from = world.scheduler): Promise<string> =>
    (await fetch(`${from.addresses.http}/metrics`)).text();
  const idle = await metrics();
  for (const name of ['a', 'idle'])
    for (const mode of ['realtime', 'offline'])
      expect(idle).toContain(`stream_infer_offered_load{algorithm="${name}",mode="${mode}",service="scheduler"} 0`);
  expect(await scheduler.metric('stream_infer_runner_capacity', 'idle')).toBe(3);
  expect(await scheduler.metric('stream_infer_window_cost_seconds', 'idle')).toBe(0.1);

  const ingest = await startIngest(world.bus, spec, source);
  await eventually(
    'a load is offered',
    async () => (await scheduler.metric('stream_infer_offered_load', 'algorithm="a"')) > 0,
  );
  // 10 windows a second at 200 ms, of which nothing is served.
  expect(await scheduler.metric('stream_infer_offered_load', 'mode="realtime"')).toBeGreaterThan(1.5);
  expect(await scheduler.metric('stream_infer_runner_capacity', 'algorithm="a"')).toBe(2);

  await world.runner({ id: 'one', definitions: ['a'], runUs: 40_000, answer: () => ({ data: 1 }) });
  const playing = ingest.play(150, 20);
  await eventually('the cost is learnt', async () =>
    (await metrics()).includes(
      'stream_infer_window_cost_seconds{algorithm="a",basis="measured",service="scheduler"} 0.04',
    ),
  );
  await playing;
  const load = await scheduler.metric('stream_infer_offered_load', 'mode="realtime"');
  expect(load).toBeGreaterThan(0.3);
  expect(load).toBeLessThan(0.5);
  expect(await scheduler.metric('stream_infer_runner_capacity', 'algorithm="a"')).toBe(1);
  await ingest.end();
  await scheduler.stop();

  const next = await world.startScheduler();
  await eventually('the cost is taken up', async () =>
    (await metrics(next)).includes('{algorithm="a",basis="measured",service="scheduler"} 0.04'),
  );
});
