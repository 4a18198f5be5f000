/** One algorithm over all streams: what is asked of it, what it gives, and what its runners do. */

import { type Dashboard, INSTALLATION, mean, of, quantile, sumRate } from './dashboard.ts';
import { delayPanels } from './delay-panels.ts';

const ALGORITHM = of('algorithm=~"$algorithm"');
const STAGES = ['queue', 'fetch', 'run', 'preprocess', 'infer', 'postprocess'] as const;

export const algorithm: Dashboard = {
  name: 'algorithm',
  title: 'Algorithm',
  description: 'One algorithm over all streams: what is asked of it, what it gives, and what its runners do.',
  variables: [
    ...INSTALLATION,
    { name: 'algorithm', label: 'Algorithm', metric: 'stream_infer_offered_load', isSingle: true },
  ],
  rows: [
    {
      title: 'Results',
      panels: [
        {
          kind: 'timeseries',
          title: 'Windows a second',
          description: 'Due, and with a result.',
          unit: 'ops',
          width: 8,
          queries: [
            { expr: sumRate('stream_infer_invocations_triggered_total', ALGORITHM), legend: 'due' },
            { expr: sumRate('stream_infer_results_published_total', ALGORITHM), legend: 'results' },
          ],
        },
        ...delayPanels('', (histogram) =>
          [0.5, 0.95, 0.99].map((q) => ({ expr: quantile(q, histogram, ALGORITHM), legend: `${q * 100} %` })),
        ),
        {
          kind: 'timeseries',
          title: 'Stale windows',
          description:
            'The part of realtime windows whose result came more than a second late or never; 1 % is allowed.',
          unit: 'percentunit',
          width: 8,
          max: 1,
          queries: [
            { expr: `max(stream_infer:stale_windows:ratio_rate5m${ALGORITHM})`, legend: '5 minutes' },
            { expr: `max(stream_infer:stale_windows:ratio_rate1h${ALGORITHM})`, legend: '1 hour' },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Windows that got no result',
          description: 'A second, by what became of them.',
          unit: 'ops',
          width: 8,
          isStacked: true,
          queries: [
            {
              expr: sumRate(
                'stream_infer_invocations_total',
                of('algorithm=~"$algorithm"', 'fate!="completed"'),
                'fate',
                'reason',
              ),
              legend: '{{fate}} {{reason}}',
            },
          ],
        },
        {
          kind: 'table',
          title: 'Dead letters in an hour',
          description: 'Invocations that failed for good, by stream: stream-infer dead-letters list tells why.',
          unit: 'none',
          width: 8,
          columns: ['stream'],
          value: 'letters',
          queries: [
            {
              expr: `topk(20, sum by (stream) (increase(stream_infer_invocations_total${of('algorithm=~"$algorithm"', 'fate="dead-lettered"')}[1h])))`,
            },
          ],
        },
      ],
    },
    {
      title: 'Runners',
      panels: [
        {
          kind: 'timeseries',
          title: 'Where the time goes',
          description:
            'Seconds on average: waiting in the runner, fetching frames, and running a batch, with its parts where the algorithm tells them.',
          unit: 's',
          width: 12,
          queries: STAGES.map((stage) => ({
            expr: mean(`stream_infer_runner_${stage}_seconds`, ALGORITHM),
            legend: stage,
          })),
        },
        {
          kind: 'timeseries',
          title: 'Batch fill',
          description: 'Windows in a batch as a part of maxBatch, on average.',
          unit: 'percentunit',
          width: 6,
          max: 1,
          queries: [{ expr: mean('stream_infer_runner_batch_fill_ratio', ALGORITHM), legend: 'filled' }],
        },
        {
          kind: 'timeseries',
          title: 'Windows in a batch',
          description: 'On average.',
          unit: 'short',
          width: 6,
          queries: [{ expr: mean('stream_infer_runner_batch_windows', ALGORITHM), legend: 'windows' }],
        },
        {
          kind: 'timeseries',
          title: 'Worker threads',
          description: 'Of all runners, by state.',
          unit: 'none',
          width: 6,
          isStacked: true,
          queries: [{ expr: `sum by (state) (stream_infer_runner_workers${ALGORITHM})`, legend: '{{state}}' }],
        },
        {
          kind: 'timeseries',
          title: 'Answers a second',
          description: 'Of runners, by outcome.',
          unit: 'ops',
          width: 6,
          queries: [
            { expr: sumRate('stream_infer_runner_invocations_total', ALGORITHM, 'outcome'), legend: '{{outcome}}' },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Workers and batches lost',
          description:
            'Threads that overran a time limit or ended, and batches that failed as a whole: in the time that a point stands for.',
          unit: 'none',
          width: 6,
          queries: [
            {
              expr: `sum(increase(stream_infer_runner_workers_lost_total${ALGORITHM}[$__rate_interval]))`,
              legend: 'workers',
            },
            {
              expr: `sum(increase(stream_infer_runner_batches_failed_total${ALGORITHM}[$__rate_interval]))`,
              legend: 'batches',
            },
          ],
        },
        {
          kind: 'table',
          title: 'Versions',
          description:
            'How many runners serve which version, as results carry it. Two of them: a change is under way, or stuck.',
          unit: 'none',
          width: 6,
          columns: ['algorithm', 'version'],
          value: 'runners',
          queries: [{ expr: `count by (algorithm, version) (stream_infer_runner_version${ALGORITHM})` }],
        },
      ],
    },
  ],
};
