/** What the autoscaler sees, what follows from it, and whether it sees at all. */

import { autoscalingQuery } from '@stream-infer/core/autoscaling-query';
import { type Dashboard, INSTALLATION, of } from './dashboard.ts';

const ALGORITHM = of('algorithm=~"$algorithm"');
const load = (mode: string): string =>
  `sum(stream_infer_offered_load${of('algorithm=~"$algorithm"', `mode="${mode}"`)})`;
const CAPACITY = `max(stream_infer_runner_capacity${ALGORITHM})`;
const SERVING = `count(stream_infer_runner_credits${ALGORITHM})`;
/** Ours as the autoscaler is given it, with the dashboard's variables in its place. */
const { threshold } = autoscalingQuery({ algorithm: '', targetUtilization: 0.7, offline: true });
const WANTED = `ceil((${load('realtime')} + $target / 100 * ${load('offline')}) / ($target / 100 * ${CAPACITY}))`;

export const autoscaling: Dashboard = {
  name: 'autoscaling',
  title: 'Autoscaling',
  description: 'What the autoscaler sees, what follows from it, and whether it sees at all.',
  variables: [
    ...INSTALLATION,
    { name: 'algorithm', label: 'Algorithm', metric: 'stream_infer_offered_load', isSingle: true },
    { name: 'target', label: 'Target, %', value: threshold },
  ],
  rows: [
    {
      title: 'Load and runners',
      panels: [
        {
          kind: 'timeseries',
          title: 'Offered load',
          description: 'Instances that the work that is due would keep busy, whether they are there or not.',
          unit: 'short',
          width: 12,
          isStacked: true,
          queries: [{ expr: `sum by (mode) (stream_infer_offered_load${ALGORITHM})`, legend: '{{mode}}' }],
        },
        {
          kind: 'timeseries',
          title: 'Runners',
          description:
            'What the query asks for at this target, before limits and stabilisation; what the autoscaler has decided, by kube-state-metrics; and runners that serve the algorithm.',
          unit: 'none',
          width: 12,
          queries: [
            { expr: WANTED, legend: 'asked for' },
            { expr: `${SERVING} or vector(0)`, legend: 'serving' },
            {
              expr: 'max by (horizontalpodautoscaler) (kube_horizontalpodautoscaler_status_desired_replicas{namespace=~"$namespace",horizontalpodautoscaler=~".*-runner-$algorithm"})',
              legend: 'decided: {{horizontalpodautoscaler}}',
              isForeign: true,
            },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Utilisation',
          description: 'Offered load as a part of the instances that there are: above 1 windows go without a result.',
          unit: 'percentunit',
          width: 8,
          queries: [
            { expr: `sum(stream_infer_offered_load${ALGORITHM}) / (${SERVING} * ${CAPACITY})`, legend: 'load' },
            {
              expr: `sum(avg_over_time(stream_infer_runner_workers${of('algorithm=~"$algorithm"', 'state="busy"')}[$__rate_interval])) / sum(avg_over_time(stream_infer_runner_workers${ALGORITHM}[$__rate_interval]))`,
              legend: 'busy threads',
            },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Cost of a window',
          description:
            'Seconds of an instance, in the fullest batches that were achieved; expected until a runner has told.',
          unit: 's',
          width: 8,
          queries: [{ expr: `max by (basis) (stream_infer_window_cost_seconds${ALGORITHM})`, legend: '{{basis}}' }],
        },
        {
          kind: 'timeseries',
          title: 'Windows due a second',
          description: 'Of realtime streams.',
          unit: 'ops',
          width: 8,
          queries: [{ expr: `sum(stream_infer_due_windows_per_second${ALGORITHM})`, legend: 'due' }],
        },
      ],
    },
    {
      title: 'Whether it sees',
      panels: [
        {
          kind: 'timeseries',
          title: 'Schedulers',
          description:
            'That live, as they see each other, and that are scraped: where fewer are scraped, load is missing from the sum.',
          unit: 'none',
          width: 8,
          queries: [
            {
              expr: `sum(max by (namespace, prefix) (stream_infer_members${of('service="scheduler"')}))`,
              legend: 'live',
            },
            { expr: `count(stream_infer_members${of('service="scheduler"')}) or vector(0)`, legend: 'scraped' },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Runners as schedulers see them',
          description:
            'That take work, of all algorithms, and conversations with them that broke in the time that a point stands for.',
          unit: 'none',
          width: 8,
          queries: [
            { expr: `max(stream_infer_runners_connected${of()})`, legend: 'connected' },
            {
              expr: `sum(increase(stream_infer_runner_conversations_broken_total${of()}[$__rate_interval]))`,
              legend: 'broken',
            },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Fallback',
          description:
            '1 while the query has no answer, so that the autoscaler falls back; and the errors of its asking, in the time that a point stands for, by KEDA.',
          unit: 'none',
          width: 8,
          queries: [
            {
              expr: `absent(stream_infer_offered_load${ALGORITHM}) or vector(0)`,
              legend: 'blind',
            },
            {
              expr: 'sum by (scaledObject) (increase(keda_scaler_detail_errors_total{namespace=~"$namespace"}[$__rate_interval]))',
              legend: 'errors: {{scaledObject}}',
              isForeign: true,
            },
          ],
        },
      ],
    },
  ],
};
