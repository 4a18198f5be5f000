import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { afterEach, expect, test } from 'vitest';
import { KEPT_MS, MOST_AWAY, StreamSeries } from './stream-series.ts';

let series: StreamSeries | undefined;
afterEach(() => series?.close());

test('series of a stream go once it has been away for a while, whatever their other labels, and of no other', async () => {
  const registry = new Registry();
  const registers = [registry];
  const counter = new Counter({ name: 'c', help: 'c', labelNames: ['stream', 'reason'], registers });
  const histogram = new Histogram({ name: 'h', help: 'h', labelNames: ['stream'], buckets: [1, 2], registers });
  const gauge = new Gauge({ name: 'g', help: 'g', registers });
  gauge.set(7);
  const here = new Set(['yard']);
  const forgotten: string[] = [];
  series = new StreamSeries({
    registry,
    isHere: (stream) => here.has(stream),
    forgotten: (stream) => forgotten.push(stream),
  });
  for (const stream of ['lobby', 'yard']) {
    series.seen(stream);
    counter.inc({ stream, reason: 'a' });
    counter.inc({ stream, reason: 'b' });
    histogram.observe({ stream }, 1);
  }
  // Whole, so that sums and differences are exact.
  const nowMs = Math.ceil(performance.now());
  await series.forget(nowMs + KEPT_MS - 10_000);
  expect(await registry.metrics()).toContain('lobby');
  await series.forget(nowMs + KEPT_MS);
  const text = await registry.metrics();
  expect(text).not.toContain('lobby');
  expect(text).toContain('c{stream="yard",reason="b"} 1');
  expect(text).toContain('h_bucket{le="1",stream="yard"} 1');
  expect(text).toContain('g 7');
  expect(forgotten).toEqual(['lobby']);

  // It was here until a moment ago.
  here.clear();
  await series.forget(nowMs + KEPT_MS + 1);
  expect(await registry.metrics()).toContain('yard');
  await series.forget(nowMs + 2 * KEPT_MS);
  expect(await registry.metrics()).not.toContain('yard');
});

test('of more streams than go between two scrapes the first that went are forgotten at once, and none that is here', async () => {
  const registry = new Registry();
  const counter = new Counter({ name: 'c', help: 'c', labelNames: ['stream'], registers: [registry] });
  const here = new Set(['yard', 's1', 's2']);
  const forgotten: string[] = [];
  series = new StreamSeries({
    registry,
    isHere: (stream) => here.has(stream),
    forgotten: (stream) => forgotten.push(stream),
  });
  const count = (stream: string): void => {
    series?.seen(stream);
    counter.inc({ stream });
  };
  count('yard');
  for (let each = 1; each <= MOST_AWAY + 2; each += 1) count(`s${each}`);
  await series.forget(performance.now());
  // Those that were here until now went last.
  here.delete('s1');
  here.delete('s2');
  await series.forget(performance.now());
  expect(forgotten).toEqual(['s3', 's4']);
  const { values } = await counter.get();
  expect(values).toHaveLength(MOST_AWAY + 1);
  expect(values.map(({ labels }) => labels.stream)).toEqual(expect.arrayContaining(['yard', 's1', 's2', 's5']));
});
