import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { createIngestMetrics } from './metrics.ts';

const stream = 'gate';

test('the condition of a source is one series that tells since when, and losses count from 0', async () => {
  const registry = new Registry();
  const metrics = createIngestMetrics(registry);
  metrics.observeMembers(() => 2);
  metrics.setCondition(stream, { mode: 'realtime', state: 'playing', reason: 'frames', sinceMs: 1_500 });
  const playing = await registry.metrics();
  expect(playing).toContain(
    'stream_infer_source_since_timestamp_seconds{stream="gate",state="playing",reason="frames"} 1.5',
  );
  expect(playing).toContain('stream_infer_source_state{stream="gate",mode="realtime",state="playing"} 1');
  expect(playing).toContain('stream_infer_source_losses_total{stream="gate"} 0');
  expect(playing).toContain('stream_infer_members 2');

  metrics.setCondition(stream, { mode: 'realtime', state: 'reconnecting', reason: 'refused', sinceMs: 2_000 });
  metrics.setCondition(stream, { mode: 'realtime', state: 'reconnecting', reason: 'timeout', sinceMs: 3_000 });
  const lost = await registry.metrics();
  expect(lost.match(/^stream_infer_source_since_timestamp_seconds\{.*/gm)).toEqual([
    'stream_infer_source_since_timestamp_seconds{stream="gate",state="reconnecting",reason="timeout"} 3',
  ]);
  expect(lost).toContain('stream_infer_source_state{stream="gate",mode="realtime",state="playing"} 0');
  expect(lost).toContain('stream_infer_source_losses_total{stream="gate"} 1');

  metrics.setCondition(stream, undefined);
  const gone = await registry.metrics();
  expect(gone).not.toContain('stream_infer_source_state{');
  expect(gone).toContain('stream_infer_source_losses_total{stream="gate"} 1');
  metrics.close();
});
