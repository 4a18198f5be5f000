/** Cameras that share too few runners: none gets less because it is slow, and none because its waiting window is replaced all the time. */

import { afterEach, expect, test } from 'vitest';
import { untilEnded } from '../harness/result-log.ts';
import { startRunner, type TestRunner } from '../harness/runner.ts';
import { startIngest } from '../harness/scripted-ingest.ts';
import { startTestScheduler, type TestScheduler } from '../harness/test-scheduler.ts';
import { algorithm, sourceFacts, streamSpec } from '../model/specs.ts';

const SLOW = `
export default class Slow {
  async run(frames) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    return null;
  }
}`;

let runner: TestRunner | undefined;
let scheduler: TestScheduler | undefined;
afterEach(async () => {
  await scheduler?.stop();
  await runner?.stop();
});

test('a fast camera, whose waiting window is replaced all the time, and slow ones get the same (G-5, I6)', async () => {
  runner = await startRunner({
    configuration: 'algorithms: [{name: a, use: ./slow.mjs}]',
    files: { 'slow.mjs': SLOW },
  });
  scheduler = await startTestScheduler({ NATS_URL: runner.natsUrl });
  const { bus } = runner;
  const seconds = 5;
  const cameras = [
    { id: 'fast', fps: 50 },
    { id: 'slow1', fps: 10 },
    { id: 'slow2', fps: 10 },
    { id: 'slow3', fps: 10 },
  ];
  const algorithms = [algorithm({ intervalFrames: 1, maxInFlight: 2 })];
  const completed = await Promise.all(
    cameras.map(async ({ id, fps }) => {
      const spec = streamSpec({ id, mode: 'realtime', fps: String(fps), algorithms });
      const facts = sourceFacts({ fps: String(fps), sampling: 'time', live: true });
      const ingest = await startIngest(bus, spec, facts);
      await ingest.play(seconds * fps, 1_000 / fps);
      await ingest.end();
      const { end } = await untilEnded(bus, id);
      const totals = end.algorithms.a;
      expect(totals?.triggered).toBe(seconds * fps);
      expect(totals?.dropped).toEqual({ replaced: seconds * fps - (totals?.completed ?? 0) });
      return totals?.completed ?? 0;
    }),
  );
  const mean = completed.reduce((sum, one) => sum + one, 0) / cameras.length;
  for (const one of completed) expect(Math.abs(one - mean) / mean, completed.join(' ')).toBeLessThanOrEqual(0.2);
});
