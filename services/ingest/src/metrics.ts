/**
 * What the ingest counts (I1). Every decoded frame ends in exactly one fate of `stream_infer_frames_total`; once a run has ended,
 * their sum is `stream_infer_frames_decoded_total`.
 */

import { SOURCE_STATES, type SourceState } from '@stream-infer/core/source-state';
import type { Registry } from 'prom-client';
import { Counter, Gauge, Histogram } from 'prom-client';
import type { UnpublishedFate } from './frame-ledger.ts';

/**
 * What becomes of a decoded frame: before the start position; skipped by the play rate; played and needed by no algorithm;
 * published; decoded again by a later epoch, and not published again; dropped because the bus was slower than the camera; cut off by
 * the end of an epoch that was stopped or lost.
 */
export type Fate = UnpublishedFate | 'published' | 'repeated' | 'bus-behind' | 'cut';

export type IngestMetrics = ReturnType<typeof createIngestMetrics>;

export function createIngestMetrics(registry: Registry) {
  const registers = [registry];
  const metrics = {
    decoded: new Counter({
      name: 'stream_infer_frames_decoded_total',
      help: 'Frames decoded.',
      labelNames: ['stream'],
      registers,
    }),
    frames: new Counter({
      name: 'stream_infer_frames_total',
      help: 'Decoded frames by what became of them.',
      labelNames: ['stream', 'fate'],
      registers,
    }),
    publishedBytes: new Counter({
      name: 'stream_infer_published_bytes_total',
      help: 'Bytes of published frames, as they cross the bus.',
      labelNames: ['stream'],
      registers,
    }),
    frameAgeSeconds: new Histogram({
      name: 'stream_infer_frame_age_seconds',
      help: 'From the arrival of a frame from the decoder to its publishing.',
      labelNames: ['stream'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
      registers,
    }),
    publishRetries: new Counter({
      name: 'stream_infer_publish_retries_total',
      help: 'Times that publishing went back to a frame that was not stored, by why.',
      labelNames: ['stream', 'reason'],
      registers,
    }),
    decoderStarts: new Counter({
      name: 'stream_infer_decoder_starts_total',
      help: 'ffmpeg processes started.',
      labelNames: ['stream'],
      registers,
    }),
    decoderErrors: new Counter({
      name: 'stream_infer_decoder_errors_total',
      help: 'Lines about errors that ffmpeg wrote.',
      labelNames: ['stream'],
      registers,
    }),
    sourceState: new Gauge({
      name: 'stream_infer_source_state',
      help: '1 for the state that the source of a stream played here is in, 0 for the others: connecting, playing, stalled, reconnecting, ended or failed.',
      labelNames: ['stream', 'state'],
      registers,
    }),
    sourceChanges: new Counter({
      name: 'stream_infer_source_changes_total',
      help: 'Changes of the state of a source, or of its reason.',
      labelNames: ['stream', 'state', 'reason'],
      registers,
    }),
    epochs: new Counter({
      name: 'stream_infer_epochs_total',
      help: 'Epochs begun: the first of a run, and one more for each time that it goes on after a loss.',
      labelNames: ['stream'],
      registers,
    }),
    fenced: new Counter({
      name: 'stream_infer_ingest_fenced_total',
      help: 'Times that this ingest stood down from a stream because another has it.',
      registers,
    }),
    runs: new Counter({
      name: 'stream_infer_runs_total',
      help: 'Runs ended, by the code of the fault that ended them, or none.',
      labelNames: ['fault'],
      registers,
    }),
  };
  return {
    ...metrics,
    countFrames(name: string, fate: Fate, count: number): void {
      metrics.frames.inc({ stream: name, fate }, count);
    },
    /** Sets the one state; undefined: the stream is not played here any more. */
    setState(name: string, current: SourceState | undefined): void {
      for (const state of SOURCE_STATES)
        if (current === undefined) metrics.sourceState.remove({ stream: name, state });
        else metrics.sourceState.set({ stream: name, state }, state === current ? 1 : 0);
    },
  };
}
