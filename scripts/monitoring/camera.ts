/** One stream from its source to its stored results. */

import { type Dashboard, halfAndMost, INSTALLATION, of, quantile, sumRate } from './dashboard.ts';
import { delayPanels } from './delay-panels.ts';

const STREAM = of('stream=~"$stream"');

export const camera: Dashboard = {
  name: 'camera',
  title: 'Camera',
  description: 'One stream from its source to its stored results.',
  variables: [
    ...INSTALLATION,
    { name: 'stream', label: 'Stream', metric: 'stream_infer_stream_state', isSingle: true },
  ],
  rows: [
    {
      title: 'Source',
      panels: [
        {
          kind: 'table',
          title: 'State, and since when',
          description: 'As the ingest that plays it tells.',
          unit: 's',
          width: 8,
          columns: ['state', 'reason'],
          value: 'for',
          queries: [{ expr: `time() - max by (state, reason) (stream_infer_source_since_timestamp_seconds${STREAM})` }],
        },
        {
          kind: 'timeseries',
          title: 'State',
          description: 'The part of its time that it was in each.',
          unit: 'percentunit',
          width: 16,
          isStacked: true,
          max: 1,
          queries: [{ expr: `max by (state) (stream_infer_source_state${STREAM})`, legend: '{{state}}' }],
        },
        {
          kind: 'timeseries',
          title: 'Frames a second',
          description: 'Decoded; of these published; of these known to the scheduler.',
          unit: 'ops',
          width: 8,
          queries: [
            { expr: sumRate('stream_infer_frames_decoded_total', STREAM), legend: 'decoded' },
            { expr: sumRate('stream_infer_frames_published_total', STREAM), legend: 'published' },
            { expr: sumRate('stream_infer_frames_received_total', STREAM), legend: 'received' },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Age of frames when they are published',
          description: 'From their arrival from the decoder.',
          unit: 's',
          width: 8,
          queries: halfAndMost('stream_infer_frame_age_seconds', STREAM),
        },
        {
          kind: 'timeseries',
          title: 'Trouble',
          description:
            'Losses of its source, ffmpeg processes started, lines of errors that ffmpeg wrote: in the time that a point stands for.',
          unit: 'none',
          width: 8,
          queries: [
            { expr: `sum(increase(stream_infer_source_losses_total${STREAM}[$__rate_interval]))`, legend: 'losses' },
            {
              expr: `sum(increase(stream_infer_decoder_starts_total${STREAM}[$__rate_interval]))`,
              legend: 'ffmpeg started',
            },
            {
              expr: `sum(increase(stream_infer_decoder_errors_total${STREAM}[$__rate_interval]))`,
              legend: 'errors of ffmpeg',
            },
          ],
        },
      ],
    },
    {
      title: 'What becomes of frames',
      panels: [
        {
          kind: 'timeseries',
          title: 'Fates',
          description: 'Frames a second by what became of them; docs/metrics.md says what each means.',
          unit: 'ops',
          width: 12,
          isStacked: true,
          queries: [
            { expr: sumRate('stream_infer_frames_total', STREAM, 'fate', 'reason'), legend: '{{fate}} {{reason}}' },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Bytes published a second',
          description: 'As they cross the bus.',
          unit: 'Bps',
          width: 6,
          queries: [{ expr: sumRate('stream_infer_published_bytes_total', STREAM), legend: 'bytes' }],
        },
        {
          kind: 'timeseries',
          title: 'Unaccounted',
          description: '0, or something was lost without a trace.',
          unit: 'none',
          width: 6,
          queries: [
            { expr: `max by (service) (abs(stream_infer_unaccounted_frames${STREAM}))`, legend: 'frames, {{service}}' },
            {
              expr: `max by (algorithm) (abs(stream_infer_unaccounted_invocations${STREAM}))`,
              legend: 'invocations, {{algorithm}}',
            },
          ],
        },
      ],
    },
    {
      title: 'Its algorithms',
      panels: [
        {
          kind: 'timeseries',
          title: 'Windows a second',
          description: 'Due, and with a result.',
          unit: 'ops',
          width: 8,
          queries: [
            {
              expr: sumRate('stream_infer_invocations_triggered_total', STREAM, 'algorithm'),
              legend: '{{algorithm}} due',
            },
            {
              expr: sumRate('stream_infer_results_published_total', STREAM, 'algorithm'),
              legend: '{{algorithm}} results',
            },
          ],
        },
        ...delayPanels(', 95 %', (histogram) => [
          { expr: quantile(0.95, histogram, STREAM, 'algorithm'), legend: '{{algorithm}}' },
        ]),
        {
          kind: 'timeseries',
          title: 'Windows that got no result',
          description: 'A second, by what became of them.',
          unit: 'ops',
          width: 8,
          queries: [
            {
              expr: sumRate(
                'stream_infer_invocations_total',
                of('stream=~"$stream"', 'fate!="completed"'),
                'algorithm',
                'fate',
                'reason',
              ),
              legend: '{{algorithm}} {{fate}} {{reason}}',
            },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Windows in hand',
          description: 'Due and not sent, and sent and not answered.',
          unit: 'none',
          width: 8,
          queries: [
            { expr: `sum by (algorithm) (stream_infer_windows_waiting${STREAM})`, legend: '{{algorithm}} waiting' },
            {
              expr: `sum by (algorithm) (stream_infer_invocations_in_flight${STREAM})`,
              legend: '{{algorithm}} in flight',
            },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Results stored a second',
          description: 'By algorithm; errors are results too.',
          unit: 'ops',
          width: 8,
          queries: [
            {
              expr: sumRate('stream_infer_stored_results_total', STREAM, 'algorithm', 'outcome'),
              legend: '{{algorithm}} {{outcome}}',
            },
          ],
        },
      ],
    },
  ],
};
