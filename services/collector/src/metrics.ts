/** What the collector measures. */

import type { SourceNow } from '@stream-infer/core/stream-report';
import type { Mode } from '@stream-infer/core/stream-spec';
import { StreamSeries } from '@stream-infer/service-kit/stream-series';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** A stream that is registered. */
export type ShownStream = {
  readonly stream: string;
  readonly mode: Mode;
  /** Of its source; `waiting` where no run of it has begun. */
  readonly state: SourceNow['state'] | 'waiting';
};

export type CollectorMetrics = ReturnType<typeof createCollectorMetrics>;

export function createCollectorMetrics(registry: Registry) {
  const registers = [registry];
  let shown: readonly ShownStream[] = [];
  let isRegistered = (_stream: string): boolean => true;
  let isStoring = (): boolean => false;
  const series = new StreamSeries({ registry, isHere: (stream) => isRegistered(stream) });
  new Gauge({
    name: 'stream_infer_stream_state',
    help: '1 for the state of each registered stream: waiting where no run of it has begun, unknown where no ingest has told of it for some seconds, else that of its source; one series a stream, and none while the collector is cut off from the bus.',
    labelNames: ['stream', 'mode', 'state'],
    registers,
    collect() {
      this.reset();
      for (const { stream, mode, state } of shown) this.set({ stream, mode, state }, 1);
    },
  });
  new Gauge({
    name: 'stream_infer_storing',
    help: '1 for the collector that stores, 0 for one that stands by or waits: of those that share a database one stores.',
    registers,
    collect() {
      this.set(isStoring() ? 1 : 0);
    },
  });
  return {
    observeStoring(storing: () => boolean): void {
      isStoring = storing;
    },
    observeStreams(registered: (stream: string) => boolean): void {
      isRegistered = registered;
    },
    /** What is shown until the next call: whoever reads metrics waits for no store. */
    showStreams(streams: readonly ShownStream[]): void {
      shown = streams;
    },
    /** Something of the stream is about to be counted. */
    seen: (stream: string): void => series.seen(stream),
    /** Forgets nothing any more. Idempotent. */
    close: (): void => series.close(),
    busMemory: new Gauge({
      name: 'stream_infer_bus_memory_bytes',
      help: "The bus's memory for frames; kind is used, reserved by the buffers of streams, full or not, or limit, where that is known; told by the collector that stores.",
      labelNames: ['kind'],
      registers,
    }),
    resultStream: new Gauge({
      name: 'stream_infer_result_stream_bytes',
      help: 'Size of the stream of results on the bus; kind is used or limit; told by the collector that stores.',
      labelNames: ['kind'],
      registers,
    }),
    results: new Counter({
      name: 'stream_infer_stored_results_total',
      help: 'Results stored; outcome is success or error.',
      labelNames: ['stream', 'algorithm', 'outcome'],
      registers,
    }),
    ends: new Counter({
      name: 'stream_infer_stored_run_ends_total',
      help: 'Ends of runs stored.',
      labelNames: ['stream'],
      registers,
    }),
    duplicates: new Counter({
      name: 'stream_infer_duplicate_results_total',
      help: 'Messages that told nothing new, and were ignored.',
      registers,
    }),
    unreadable: new Counter({
      name: 'stream_infer_unreadable_results_total',
      help: 'Messages that are no result and no end of a run, and were ignored.',
      registers,
    }),
    pending: new Gauge({
      name: 'stream_infer_pending_results',
      help: 'Messages on the bus that are not stored yet, as of the last batch.',
      registers,
    }),
    commitSeconds: new Histogram({
      name: 'stream_infer_commit_seconds',
      help: 'Time to commit one batch to the store.',
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
      registers,
    }),
    storeConnected: new Gauge({
      name: 'stream_infer_store_connected',
      help: '1 while the store can be had, 0 while its database is away.',
      registers,
    }),
    storeBytes: new Gauge({
      name: 'stream_infer_store_bytes',
      help: 'Size of the store; kind is used (what the results take) or file (what the files do).',
      labelNames: ['kind'],
      registers,
    }),
    eventClients: new Gauge({
      name: 'stream_infer_event_clients',
      help: 'Clients that listen to events.',
      registers,
    }),
    droppedEventClients: new Counter({
      name: 'stream_infer_dropped_event_clients_total',
      help: 'Clients of events that read nothing for too long and were disconnected.',
      registers,
    }),
    apiErrors: new Counter({
      name: 'stream_infer_api_errors_total',
      help: 'Requests that the API refused or failed to answer, by the code of the error.',
      labelNames: ['code'],
      registers,
    }),
    changes: new Counter({
      name: 'stream_infer_api_changes_total',
      help: 'Requests that would change something, by operation; outcome is done, refused or failed. Each is a line of the log as well.',
      labelNames: ['action', 'outcome'],
      registers,
    }),
    removed: new Counter({
      name: 'stream_infer_removed_results_total',
      help: 'Results removed from the store; reason is age, bytes or clear.',
      labelNames: ['reason'],
      registers,
    }),
    trimmed: new Counter({
      name: 'stream_infer_trimmed_messages_total',
      help: 'Messages removed from the bus after they were stored.',
      registers,
    }),
  };
}
