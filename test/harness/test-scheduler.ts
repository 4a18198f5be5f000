/** The scheduler as a process, with its metrics at hand. */

import { type Ledgers, ledgersOf } from './ledgers.ts';
import { type ServiceProcess, startService } from './service-process.ts';

export type TestScheduler = ServiceProcess & {
  /** Sum of a metric over all of its labels, or over the lines that hold `label`. */
  metric(name: string, label?: string): Promise<number>;
  ledger(): Promise<Ledgers>;
};

export async function startTestScheduler(environment: Readonly<Record<string, string>>): Promise<TestScheduler> {
  const service = await startService('scheduler', {
    RESULTS_MAX_BYTES: String(2 ** 26),
    LOG_LEVEL: 'debug',
    ...environment,
  });
  return {
    ...service,
    ledger: () => ledgersOf(service),
    async metric(name, label = '') {
      const text = await (await fetch(`${service.addresses.http}/metrics`)).text();
      const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) && line.includes(label));
      return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    },
  };
}
