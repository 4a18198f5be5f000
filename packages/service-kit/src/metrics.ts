/** One Prometheus registry a process. Names begin with `stream_infer_`; no URL is ever a label. */

import { collectDefaultMetrics, Registry } from 'prom-client';

export function createMetrics(service: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  return registry;
}
