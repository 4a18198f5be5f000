/** With which number a camera goes on, as ffmpeg reckons it when the first frame comes (EX-8). */

import { expect, test } from 'vitest';
import type { EpochStart } from '../../services/ingest/src/epoch-start.ts';
import { decode } from '../harness/decoded-source.ts';

const RATE = 10;
/** ffmpeg takes its time to start. */
const STARTING_MS = 3_000;

/** Numbers of the first frames of a camera whose frame `firstN` came, or would have come, so long ago. */
async function numbers(agoMs: number, { rate = String(RATE), fps = String(RATE), most = 6 } = {}) {
  const start: EpochStart = { kind: 'onward', firstN: 1_000, atMs: Date.now() - agoMs };
  const source = `lavfi:testsrc=size=32x32:rate=${rate}`;
  const { pictures } = await decode(source, { mode: 'realtime', pixelFormat: 'gray', fps }, { start, most });
  return pictures.map(({ n }) => n);
}

const inARow = (first: number, count: number, step = 1): readonly number[] =>
  Array.from({ length: count }, (_, at) => first + at * step);

test('the first frame has the number of the time that has passed, and the others follow one by one', async () => {
  const found = await numbers(60_000);
  const [first = 0] = found;
  expect(first).toBeGreaterThanOrEqual(1_000 + 60 * RATE);
  expect(first).toBeLessThanOrEqual(1_000 + ((60_000 + STARTING_MS) * RATE) / 1_000);
  expect(found).toEqual(inARow(first, 6));
});

test('with times as coarse as its frames, and a rate that is no whole number', async () => {
  for (const rate of ['10', '30000/1001', '7']) {
    const found = await numbers(5_000, { rate, fps: rate });
    expect(found, rate).toEqual(inARow(found[0] ?? 0, 6));
  }
});

test('where fewer frames are played than come, as evenly as from the beginning', async () => {
  const found = await numbers(5_000, { rate: '30', fps: '10' });
  expect(found).toEqual(inARow(found[0] ?? 0, 6));
});

test('a clock that is behind puts no frame before the one that is known', async () => {
  expect(await numbers(-3_600_000)).toEqual(inARow(1_000, 6));
});
