import { Ledger } from '@stream-infer/core/ledger';
import { Registry } from 'prom-client';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createSchedulerMetrics } from './metrics.ts';

const labels = 'stream="lobby",algorithm="a"';

test('invocations are what the ledger says, from when it was followed, and stay when the run is over', async () => {
  const registry = new Registry();
  const metrics = createSchedulerMetrics(registry);
  const ledger = new Ledger({ triggered: 5, completed: 5, failed: 0, dropped: {} });
  const observed = { algorithm: { name: 'a' }, ledger, open: 1, waiting: 1, underWay: 2 };
  const lane = metrics.observe('lobby', observed, 'realtime');
  ledger.trigger(6);
  ledger.settle('completed');
  ledger.settle('dead-lettered');
  ledger.settle('failed');
  ledger.settle('replaced', 2);
  lane.published(12, 40);
  const before = await registry.metrics();
  expect(before).toContain(`stream_infer_invocations_triggered_total{${labels}} 6`);
  expect(before).toContain(`stream_infer_windows_waiting{${labels}} 1`);
  expect(before).toContain('stream_infer_result_lateness_seconds_bucket{le="0.05",stream="lobby",algorithm="a"} 1');
  expect(before).toContain(`stream_infer_unaccounted_invocations{${labels}} 0`);
  ledger.settle('stale');
  observed.open = 0;
  lane.close();
  lane.close();
  const after = await registry.metrics();
  for (const [fate, count] of Object.entries({ completed: 1, failed: 1, 'dead-lettered': 1, replaced: 2 }))
    expect(after).toContain(`stream_infer_invocations_total{${labels},fate="${fate}"} ${count}`);
  expect(after).toContain(`stream_infer_invocations_total{${labels},fate="expired",reason="stale"} 1`);
  expect(after).toContain(`stream_infer_unaccounted_invocations{${labels}} 0`);
  expect(after).not.toContain('stream_infer_invocations_in_flight{');
  expect(after).toContain('stream_infer_dead_lettered_invocations_total 1\n');
});

test('an invocation that is held by nobody and has no fate is unaccounted for', async () => {
  const registry = new Registry();
  const metrics = createSchedulerMetrics(registry);
  const ledger = new Ledger();
  metrics.observe('lobby', { algorithm: { name: 'a' }, ledger, open: 1, waiting: 1, underWay: 0 }, 'offline');
  ledger.trigger(2);
  expect(await registry.metrics()).toContain(`stream_infer_unaccounted_invocations{${labels}} 1`);
});

test('a window that is open when its epoch ends, and due again in the next, is one invocation', async () => {
  const registry = new Registry();
  const metrics = createSchedulerMetrics(registry);
  const first = new Ledger();
  const lane = metrics.observe(
    'lobby',
    { algorithm: { name: 'a' }, ledger: first, open: 2, waiting: 0, underWay: 0 },
    'offline',
  );
  first.trigger(2);
  lane.close();
  expect(await registry.metrics()).toContain(`stream_infer_unaccounted_invocations{${labels}} 0`);
  const second = new Ledger();
  metrics.observe('lobby', { algorithm: { name: 'a' }, ledger: second, open: 0, waiting: 0, underWay: 0 }, 'offline');
  second.trigger(3);
  second.settle('completed', 3);
  const text = await registry.metrics();
  expect(text).toContain(`stream_infer_invocations_triggered_total{${labels}} 3`);
  expect(text).toContain(`stream_infer_unaccounted_invocations{${labels}} 0`);
});

test('frames are shown by fate and reason, and with the invocations of their stream', async () => {
  const registry = new Registry();
  const metrics = createSchedulerMetrics(registry);
  const frames = metrics.framesOf('lobby');
  frames.enter(4);
  frames.settle({ fate: 'used', reason: '' }, 2);
  frames.settle({ fate: 'gap', reason: 'unread' });
  const text = await registry.metrics();
  expect(text).toContain('stream_infer_frames_received_total{stream="lobby"} 4');
  expect(text).toContain('stream_infer_frames_total{stream="lobby",fate="used"} 2');
  expect(text).toContain('stream_infer_frames_total{stream="lobby",fate="gap",reason="unread"} 1');
  expect(text).toContain('stream_infer_unaccounted_frames{stream="lobby"} 1');
  expect(JSON.parse(JSON.stringify(metrics.ledgers()))).toEqual({
    lobby: { frames: { entered: 4, open: 0, unaccounted: 1, fates: { used: 2, gap: { unread: 1 } } }, algorithms: {} },
  });
});

test('what failed for good is counted from the start of the scheduler on, and stays when its stream is forgotten', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const registry = new Registry();
  const metrics = createSchedulerMetrics(registry);
  expect(await registry.metrics()).toContain('stream_infer_dead_lettered_invocations_total 0\n');
  const ledger = new Ledger();
  const lane = metrics.observe(
    'lobby',
    { algorithm: { name: 'a' }, ledger, open: 0, waiting: 0, underWay: 0 },
    'offline',
  );
  ledger.trigger(2);
  ledger.settle('dead-lettered', 2);
  lane.close();
  await vi.advanceTimersByTimeAsync(3_600_000);
  const text = await registry.metrics();
  expect(text).not.toContain('stream="lobby"');
  expect(text).toContain('stream_infer_dead_lettered_invocations_total 2\n');
  metrics.close();
});

test('an algorithm on a stream stands at 0 from the beginning, so that its first letter is an increase', async () => {
  const registry = new Registry();
  const metrics = createSchedulerMetrics(registry);
  const observed = { algorithm: { name: 'a' }, ledger: new Ledger(), open: 0, waiting: 0, underWay: 0 };
  const lane = metrics.observe('lobby', observed, 'realtime');
  const text = await registry.metrics();
  expect(text).toContain(`stream_infer_results_published_total{${labels}} 0`);
  expect(text).toContain(`stream_infer_invocations_total{${labels},fate="dead-lettered"} 0`);
  expect(text).toContain(`stream_infer_result_lateness_seconds_count{${labels}} 0`);
  lane.published(12, 40);
  // Another epoch of the run.
  lane.close();
  metrics.observe('lobby', { ...observed }, 'realtime');
  expect(await registry.metrics()).toContain(`stream_infer_result_lateness_seconds_count{${labels}} 1`);
  metrics.close();
});
