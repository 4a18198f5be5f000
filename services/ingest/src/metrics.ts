/**
 * What the ingest counts. Each decoded frame ends in exactly one fate, is published, which makes it the scheduler's, or is still
 * open: the books say which, by stream, over all runs and epochs here, and the metrics are the books as Prometheus asks for them (I1, EX-11).
 */

import type { FrameFate } from '@stream-infer/core/fate';
import { LedgerBook } from '@stream-infer/core/ledger-book';
import { SOURCE_STATES, type SourceCondition } from '@stream-infer/core/source-state';
import type { Mode } from '@stream-infer/core/stream-spec';
import { createMembersGauge } from '@stream-infer/service-kit/members-gauge';
import { StreamSeries } from '@stream-infer/service-kit/stream-series';
import type { Registry } from 'prom-client';
import { Counter, Gauge, Histogram } from 'prom-client';

export type IngestMetrics = ReturnType<typeof createIngestMetrics>;

export function createIngestMetrics(registry: Registry) {
  const registers = [registry];
  const books = new Map<string, LedgerBook<FrameFate>>();
  /** Of the streams played here. */
  const conditions = new Map<string, SourceCondition & { readonly mode: Mode }>();
  const series = new StreamSeries({
    registry,
    // What does not add up stays to be seen.
    isHere: (stream) => conditions.has(stream) || (books.get(stream)?.unaccounted ?? 0) !== 0,
    forgotten: (stream) => books.delete(stream),
  });
  const updatedBooks = (): [string, LedgerBook<FrameFate>][] => {
    for (const book of books.values()) book.update();
    return [...books];
  };
  new Counter({
    name: 'stream_infer_frames_decoded_total',
    help: 'Frames decoded, each time that they are.',
    labelNames: ['stream'],
    registers,
    collect() {
      this.reset();
      for (const [stream, book] of updatedBooks()) this.inc({ stream }, book.entered);
    },
  });
  new Counter({
    name: 'stream_infer_frames_published_total',
    help: 'Frames published: what becomes of them the scheduler tells.',
    labelNames: ['stream'],
    registers,
    collect() {
      this.reset();
      for (const [stream, book] of updatedBooks()) this.inc({ stream }, book.handedOver);
    },
  });
  new Counter({
    name: 'stream_infer_frames_total',
    help: 'Decoded frames that are not published, by what became of them; see below.',
    labelNames: ['stream', 'fate', 'reason'],
    registers,
    collect() {
      this.reset();
      for (const [stream, { fates }] of updatedBooks())
        for (const { fate, reason, count } of fates) this.inc({ stream, fate, ...(reason && { reason }) }, count);
    },
  });
  new Gauge({
    name: 'stream_infer_unaccounted_frames',
    help: 'Frames decoded less those published, with a fate or still under way: 0, unless the ingest lost one without a trace.',
    labelNames: ['stream'],
    registers,
    collect() {
      for (const [stream, book] of updatedBooks()) this.set({ stream }, book.unaccounted);
    },
  });
  new Gauge({
    name: 'stream_infer_source_state',
    help: '1 for the state that the source of a stream played here is in, 0 for the others: connecting, playing, stalled, reconnecting, ended or failed.',
    labelNames: ['stream', 'mode', 'state'],
    registers,
    collect() {
      this.reset();
      for (const [stream, { mode, state: now }] of conditions)
        for (const state of SOURCE_STATES) this.set({ stream, mode, state }, state === now ? 1 : 0);
    },
  });
  new Gauge({
    name: 'stream_infer_source_since_timestamp_seconds',
    help: 'When the source of a stream played here came into the state that it is in, for this reason, in seconds since 1970; one series a stream.',
    labelNames: ['stream', 'state', 'reason'],
    registers,
    collect() {
      this.reset();
      for (const [stream, { state, reason, sinceMs }] of conditions)
        this.set({ stream, state, reason }, sinceMs / 1_000);
    },
  });
  const metrics = {
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
    sourceChanges: new Counter({
      name: 'stream_infer_source_changes_total',
      help: 'Changes of the state of a source, or of its reason.',
      labelNames: ['stream', 'state', 'reason'],
      registers,
    }),
    losses: new Counter({
      name: 'stream_infer_source_losses_total',
      help: 'Times that the source of a stream was lost, or could not be opened; 0 before the first.',
      labelNames: ['stream'],
      registers,
    }),
    resized: new Counter({
      name: 'stream_infer_source_resized_total',
      help: 'Times that the picture of a source that plays changed its size.',
      labelNames: ['stream'],
      registers,
    }),
    epochs: new Counter({
      name: 'stream_infer_epochs_total',
      help: 'Epochs begun: the first of a run, and one more for each time that it goes on: after a loss, with other algorithms, or from another ingest.',
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
    framesOf(stream: string): LedgerBook<FrameFate> {
      series.seen(stream);
      const book = books.get(stream) ?? new LedgerBook<FrameFate>();
      books.set(stream, book);
      return book;
    },
    observeMembers: createMembersGauge(registry),
    /** Frames that an ingest that died had under way: it counted that they were decoded. */
    lostWithProcess(stream: string, count: number): void {
      const book = this.framesOf(stream);
      book.takeOver(count);
      book.settle({ fate: 'lost-with-process', reason: '' }, count);
    },
    /** What /debug/ledger shows, by stream. */
    ledgers: (): Readonly<Record<string, unknown>> =>
      Object.fromEntries(updatedBooks().map(([stream, frames]) => [stream, { frames }])),
    /** Undefined: the stream is not played here any more. */
    setCondition(stream: string, condition: (SourceCondition & { readonly mode: Mode }) | undefined): void {
      series.seen(stream);
      const isLost = condition?.state === 'reconnecting' && conditions.get(stream)?.state !== 'reconnecting';
      metrics.losses.inc({ stream }, isLost ? 1 : 0);
      if (condition) conditions.set(stream, condition);
      else conditions.delete(stream);
    },
    /** Forgets nothing any more. Idempotent. */
    close: (): void => series.close(),
  };
}
