import { rational } from '@stream-infer/core/rational';
import { type SamplePlan, samplePlan } from '@stream-infer/core/sample-plan';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { algorithm, sourceFacts, streamSpec } from '../../../test/model/specs.ts';
import { DecodeErrors } from './decode-errors.ts';
import { FrameLedger } from './frame-ledger.ts';
import { FrameTally } from './frame-tally.ts';
import { createIngestMetrics } from './metrics.ts';

const everyFrame: SamplePlan = samplePlan(
  streamSpec({ algorithms: [algorithm({ intervalFrames: 1 })] }),
  sourceFacts({ fps: '10' }),
);

test('every decoded frame is held by somebody, published or has a fate, and what an ended decoder held is lost in it', async () => {
  const registry = new Registry();
  const metrics = createIngestMetrics(registry);
  const ledger = new FrameLedger({ plan: everyFrame, timeBase: rational(1, 1000), selective: true });
  const publisher = { unpublished: 0 };
  const tally = new FrameTally({ metrics, stream: 'cam', ledger, errors: new DecodeErrors(), publisher });
  const book = metrics.framesOf('cam');
  for (let i = 0; i < 7; i += 1) ledger.countDecoded(i, i * 100, i);
  for (let i = 0; i < 5; i += 1) ledger.countSelected(i * 100);
  for (let i = 0; i < 4; i += 1) ledger.take();
  tally.repeated();
  tally.offered();
  tally.published(100, undefined);
  tally.offered();
  publisher.unpublished = 1;
  // Two in ffmpeg, one selected and not read, one read and not offered, one that the publisher has.
  expect(await registry.metrics()).toContain('stream_infer_unaccounted_frames{stream="cam"} 0');
  expect(book.open).toBe(5);
  publisher.unpublished = 0;
  book.update();
  expect(book.unaccounted).toBe(1);
  tally.discarded();
  tally.close();
  tally.close();
  expect(JSON.parse(JSON.stringify(metrics.ledgers()))).toEqual({
    cam: {
      frames: {
        entered: 7,
        handedOver: 1,
        open: 0,
        unaccounted: 0,
        fates: { 'not-needed': { repeated: 1 }, expired: { 'epoch-over': 2 }, 'lost-in-decoder': 3 },
      },
    },
  });
});

test('what an ingest that died had under way is lost with it, and not decoded here', () => {
  const metrics = createIngestMetrics(new Registry());
  metrics.lostWithProcess('cam', 3);
  expect(metrics.framesOf('cam').toJSON()).toEqual({
    entered: 0,
    takenOver: 3,
    open: 0,
    unaccounted: 0,
    fates: { 'lost-with-process': 3 },
  });
});
