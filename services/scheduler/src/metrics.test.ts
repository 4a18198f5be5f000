import { Ledger } from '@stream-infer/core/ledger';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { createSchedulerMetrics } from './metrics.ts';

test('invocations are what the ledger says, from when it was followed, and stay when the run is over', async () => {
  const registry = new Registry();
  const metrics = createSchedulerMetrics(registry);
  const ledger = new Ledger({ triggered: 5, completed: 5, failed: 0, dropped: {} });
  const observed = { algorithm: { name: 'a' }, ledger, waiting: 1, underWay: 2 };
  const lane = metrics.observe('lobby', observed);
  ledger.trigger(6);
  ledger.settle('completed');
  ledger.settle('failed');
  ledger.settle('replaced', 2);
  lane.published(12, 40);
  const before = await registry.metrics();
  expect(before).toContain('stream_infer_invocations_triggered_total{stream="lobby",algorithm="a"} 6');
  expect(before).toContain('stream_infer_windows_waiting{stream="lobby",algorithm="a"} 1');
  expect(before).toContain('stream_infer_result_lateness_seconds_bucket{le="0.05",stream="lobby",algorithm="a"} 1');
  ledger.settle('stale');
  lane.close();
  const after = await registry.metrics();
  for (const [outcome, count] of Object.entries({ completed: 1, failed: 1, dropped: 3 }))
    expect(after).toContain(
      `stream_infer_invocations_total{stream="lobby",algorithm="a",outcome="${outcome}"} ${count}`,
    );
  expect(after).toContain('stream_infer_invocations_dropped_total{stream="lobby",algorithm="a",reason="replaced"} 2');
  expect(after).not.toContain('stream_infer_invocations_in_flight{');
});
