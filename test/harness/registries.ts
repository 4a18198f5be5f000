/** Every metric that the services export, and its labels, of their own registries. */

import { faultReporter } from '@stream-infer/service-kit/fault-reporter';
import { createLogger } from '@stream-infer/service-kit/logger';
import { createMetrics } from '@stream-infer/service-kit/metrics';
import { createRunnerMetrics, observeServed } from '../../services/algo-runner/src/metrics.ts';
import { createCollectorMetrics } from '../../services/collector/src/metrics.ts';
import { createIngestMetrics } from '../../services/ingest/src/metrics.ts';
import { createLoadMetrics } from '../../services/scheduler/src/load-metrics.ts';
import { createSchedulerMetrics } from '../../services/scheduler/src/metrics.ts';

type Registry = ReturnType<typeof createMetrics>;

const MAKERS: Readonly<Record<string, (registry: Registry) => void>> = {
  ingest: (registry) => createIngestMetrics(registry).close(),
  scheduler: (registry) => {
    createSchedulerMetrics(registry).close();
    createLoadMetrics(registry, () => []);
  },
  'algo-runner': (registry) => {
    createRunnerMetrics(registry);
    observeServed(registry, []);
  },
  collector: (registry) => createCollectorMetrics(registry).close(),
};

/** By the names that Prometheus has, those of a histogram's parts among them. */
export function exportedMetrics(): ReadonlyMap<string, ReadonlySet<string>> {
  const metrics = new Map<string, Set<string>>();
  const add = (name: string, labels: readonly string[]): void => {
    metrics.set(name, new Set([...(metrics.get(name) ?? []), 'service', ...labels]));
  };
  for (const [service, make] of Object.entries(MAKERS)) {
    const registry = createMetrics(service);
    make(registry);
    faultReporter(createLogger({ service, level: 'silent', format: 'json' }), registry);
    for (const { name } of registry.getMetricsAsArray()) {
      const { labelNames = [], type } = registry.getSingleMetric(name) as unknown as MetricFacts;
      if (type !== 'histogram') add(name, labelNames);
      else {
        add(`${name}_bucket`, [...labelNames, 'le']);
        add(`${name}_sum`, labelNames);
        add(`${name}_count`, labelNames);
      }
    }
  }
  return metrics;
}

/** Of prom-client's metrics, beside what their types tell. */
type MetricFacts = { readonly labelNames?: readonly string[]; readonly type: string };
