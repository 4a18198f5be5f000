/** What the collector measures. */

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

export type CollectorMetrics = ReturnType<typeof createCollectorMetrics>;

export function createCollectorMetrics(registry: Registry) {
  const registers = [registry];
  return {
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
    storeBytes: new Gauge({
      name: 'stream_infer_store_bytes',
      help: 'Size of the store; kind is used (pages in use) or file.',
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
