import { describe, expect, test } from 'vitest';
import { untilEnded } from '../harness/result-log.ts';
import { schedulerWorld } from '../harness/scheduler-world.ts';
import { startIngest } from '../harness/scripted-ingest.ts';
import { algorithm, sourceFacts, streamSpec } from '../model/specs.ts';

const world = schedulerWorld();

const sum = (dropped: Readonly<Record<string, number>>): number => Object.values(dropped).reduce((a, b) => a + b, 0);

describe('in realtime', () => {
  test('playback waits for nobody: only the newest window waits, the rest is counted, and late results say how late (F-10)', async () => {
    await world.runner({
      id: 'one',
      definitions: ['a'],
      answer: async () => {
        await new Promise((resolve) => setTimeout(resolve, 300));
        return { data: 1 };
      },
    });
    const spec = streamSpec({
      mode: 'realtime',
      fps: '50',
      algorithms: [algorithm({ intervalFrames: 2, maxInFlight: 1 })],
    });
    const ingest = await startIngest(world.bus, spec, sourceFacts({ fps: '50', sampling: 'time', live: true }));
    const began = performance.now();
    await ingest.play(100, 20);
    expect(performance.now() - began).toBeLessThan(10_000);
    await ingest.end();
    const { records, end } = await untilEnded(world.bus, 'lobby');
    const totals = end.algorithms.a;
    expect(totals?.triggered).toBe(50);
    expect(totals?.completed).toBe(records.length);
    expect(records.length).toBeGreaterThan(1);
    expect(records.length).toBeLessThan(15);
    expect(totals?.dropped).toEqual({ replaced: 50 - records.length });
    // The last one due is answered: what waits is the newest.
    expect(records.at(-1)?.n).toBe(100);
    for (const { lateMs, capturedAtMs } of records) {
      expect(lateMs).toBeGreaterThanOrEqual(200);
      expect(capturedAtMs).toBeGreaterThan(1e12);
    }
    expect(world.scheduler.log()).toContain('results are late');
  });

  test('what is not sent, or not started, in time is stale, and a frame that is gone costs its window alone', async () => {
    const asked: number[] = [];
    await world.runner({
      id: 'one',
      definitions: ['a'],
      answer: async ({ n, budgetMs }) => {
        asked.push(budgetMs);
        if (n !== 4) return { code: 'FRAME_GONE' };
        await new Promise((resolve) => setTimeout(resolve, budgetMs + 10));
        return { code: 'NOT_STARTED', notStarted: true };
      },
    });
    const spec = streamSpec({
      mode: 'realtime',
      fps: '20',
      algorithms: [algorithm({ intervalFrames: 4, maxInFlight: 2 })],
    });
    const ingest = await startIngest(world.bus, spec, sourceFacts({ fps: '20', sampling: 'time', live: true }));
    await ingest.play(40, 50);
    await ingest.end();
    const { records, end } = await untilEnded(world.bus, 'lobby');
    expect(records).toEqual([]);
    const totals = end.algorithms.a;
    expect(totals?.triggered).toBe(10);
    expect(totals?.dropped['frame-gone']).toBeGreaterThan(0);
    expect(sum(totals?.dropped ?? {})).toBe(10);
    expect((totals?.dropped.stale ?? 0) + (totals?.dropped.replaced ?? 0)).toBeGreaterThanOrEqual(1);
    for (const budgetMs of asked) {
      expect(budgetMs).toBeGreaterThan(0);
      expect(budgetMs).toBeLessThanOrEqual(997);
    }
  });

  test('a run comes to its end without a runner: its last window grows stale', async () => {
    const spec = streamSpec({ mode: 'realtime', algorithms: [algorithm({ intervalFrames: 1 })] });
    const ingest = await startIngest(world.bus, spec, sourceFacts());
    await ingest.play(3);
    await ingest.end();
    const { end } = await untilEnded(world.bus, 'lobby');
    expect(end.algorithms.a).toEqual({ triggered: 3, completed: 0, failed: 0, dropped: { replaced: 2, stale: 1 } });
  });
});
