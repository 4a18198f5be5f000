/** The scheduler within the test's own process, so that a test can meddle with its parts; scraped as any other. */

import { startHealthServer } from '@stream-infer/service-kit/health-server';
import { createLogger } from '@stream-infer/service-kit/logger';
import { createMetrics } from '@stream-infer/service-kit/metrics';
import { readSettings } from '@stream-infer/service-kit/settings';
import { startScheduler } from '../../services/scheduler/src/service.ts';

export type SchedulerHere = {
  /** Where it is scraped. */
  readonly port: number;
  /** Every sample of a metric, as Prometheus reads it over HTTP; labels as they stand there. */
  scrape(name: string): Promise<Readonly<Record<string, number>>>;
  stop(): Promise<void>;
};

export async function startSchedulerHere(
  environment: Readonly<Record<string, string>>,
  port = 0,
): Promise<SchedulerHere> {
  const metrics = createMetrics('scheduler');
  const service = await startScheduler({
    configuration: undefined,
    settings: readSettings('scheduler', undefined, { RESULTS_MAX_BYTES: String(2 ** 26), ...environment }),
    logger: createLogger({ service: 'scheduler', level: 'silent', format: 'json' }),
    metrics,
    report: () => undefined,
  });
  const health = await startHealthServer({ host: '127.0.0.1', port, metrics, ...service, ledger: () => undefined });
  return {
    port: Number(new URL(health.address).port),
    async scrape(name) {
      const text = await (await fetch(`${health.address}/metrics`)).text();
      const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`));
      return Object.fromEntries(
        lines.map((line) => {
          const at = line.lastIndexOf(' ');
          const labels = line.slice(name.length + 1, at - 1).replace(/,?service="scheduler"/, '');
          return [labels, Number(line.slice(at + 1))];
        }),
      );
    },
    async stop() {
      await service.stop();
      await health.close();
    },
  };
}
