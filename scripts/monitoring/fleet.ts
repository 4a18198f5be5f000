/** All cameras at once: what they do, since when, and whether the whole keeps up. */

import { type Dashboard, INSTALLATION, of, orNone, sumRate } from './dashboard.ts';

const STATE = `max by (stream, state) (stream_infer_stream_state${of()})`;
const SINCE = (matchers: string): string =>
  `time() - max by (stream, state, reason) (stream_infer_source_since_timestamp_seconds${matchers})`;

export const fleet: Dashboard = {
  name: 'fleet',
  title: 'Fleet',
  description: 'All cameras at once: what they do, since when, and whether the whole keeps up.',
  variables: INSTALLATION,
  rows: [
    {
      title: 'Now',
      panels: [
        {
          kind: 'stat',
          title: 'Streams',
          description: 'Registered.',
          unit: 'none',
          width: 4,
          queries: [{ expr: `count(max by (stream) (stream_infer_stream_state${of()}))` }],
        },
        {
          kind: 'stat',
          title: 'Playing',
          description: 'Frames come.',
          unit: 'none',
          width: 4,
          queries: [{ expr: `sum(max by (stream) (stream_infer_source_state${of('state="playing"')}))` }],
        },
        {
          kind: 'stat',
          title: 'Cameras down',
          description: 'In realtime, registered, and neither playing nor at their end.',
          unit: 'none',
          width: 4,
          warnsAt: 1,
          queries: [
            {
              expr: `count(max by (stream) (stream_infer_stream_state${of('mode="realtime"', 'state!~"playing|ended"')})) or vector(0)`,
            },
          ],
        },
        {
          kind: 'stat',
          title: 'Cameras frozen',
          description: 'Frames come, and all are the same picture.',
          unit: 'none',
          width: 4,
          warnsAt: 1,
          queries: [
            {
              expr: `count(max by (stream) (stream_infer_source_since_timestamp_seconds${of('reason="frozen-picture"')})) or vector(0)`,
            },
          ],
        },
        {
          kind: 'stat',
          title: 'Stale windows',
          description:
            'Of realtime windows, the part whose result came more than a second late or never; 1 % is allowed.',
          unit: 'percentunit',
          width: 4,
          warnsAt: 0.01,
          queries: [{ expr: `max(stream_infer:stale_windows:ratio_rate5m${of()})` }],
        },
        {
          kind: 'stat',
          title: 'Unaccounted',
          description:
            'Frames and invocations that have no fate and that nobody holds: 0, or something was lost without a trace.',
          unit: 'none',
          width: 4,
          warnsAt: 1,
          queries: [
            {
              expr: `sum(abs(stream_infer_unaccounted_frames${of()})) + sum(abs(stream_infer_unaccounted_invocations${of()}))`,
            },
          ],
        },
      ],
    },
    {
      title: 'Cameras',
      panels: [
        {
          kind: 'table',
          title: 'Not playing, or frozen, and since when',
          description: 'Sources that an ingest has, other than those that play as they should.',
          unit: 's',
          width: 12,
          columns: ['stream', 'state', 'reason'],
          value: 'for',
          queries: [
            {
              expr: `${SINCE(of('state!="playing"'))} or ${SINCE(of('reason="frozen-picture"'))}`,
            },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Streams by state',
          description: 'Of registered streams: waiting, no run has begun; unknown, no ingest tells of it.',
          unit: 'none',
          width: 12,
          isStacked: true,
          queries: [{ expr: `sum by (state) (${STATE})`, legend: '{{state}}' }],
        },
        {
          kind: 'timeseries',
          title: 'Losses',
          description: 'Sources that are lost, by reason, and how many were lost in the time that a point stands for.',
          unit: 'none',
          width: 12,
          queries: [
            {
              expr: orNone(
                `count by (reason) (stream_infer_source_since_timestamp_seconds${of('state="reconnecting"')})`,
                'reason',
              ),
              legend: 'lost: {{reason}}',
            },
            { expr: `sum(increase(stream_infer_source_losses_total${of()}[$__rate_interval]))`, legend: 'new losses' },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Frames a second',
          description: 'Decoded, and of these published: those that some window can use.',
          unit: 'ops',
          width: 12,
          queries: [
            { expr: sumRate('stream_infer_frames_decoded_total', of()), legend: 'decoded' },
            { expr: sumRate('stream_infer_frames_published_total', of()), legend: 'published' },
          ],
        },
      ],
    },
    {
      title: 'Results',
      panels: [
        {
          kind: 'timeseries',
          title: 'Results stored a second',
          description: 'By algorithm.',
          unit: 'ops',
          width: 12,
          queries: [{ expr: sumRate('stream_infer_stored_results_total', of(), 'algorithm'), legend: '{{algorithm}}' }],
        },
        {
          kind: 'timeseries',
          title: 'Stale windows',
          description: 'By algorithm: the part of realtime windows whose result came more than a second late or never.',
          unit: 'percentunit',
          width: 12,
          max: 1,
          queries: [
            { expr: `max by (algorithm) (stream_infer:stale_windows:ratio_rate5m${of()})`, legend: '{{algorithm}}' },
          ],
        },
      ],
    },
    {
      title: 'Processes',
      panels: [
        {
          kind: 'timeseries',
          title: 'Processes',
          description: 'That are scraped.',
          unit: 'none',
          width: 6,
          queries: [
            { expr: `count by (service) (process_start_time_seconds${of('service!=""')})`, legend: '{{service}}' },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Starts in an hour',
          description: 'Of processes that were started again in their place.',
          unit: 'none',
          width: 6,
          queries: [
            {
              expr: `sum by (service) (changes(process_start_time_seconds${of('service!=""')}[1h]))`,
              legend: '{{service}}',
            },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Cores',
          description: 'Taken, ffmpeg not among them.',
          unit: 'short',
          width: 6,
          queries: [
            { expr: sumRate('process_cpu_seconds_total', of('service!=""'), 'service'), legend: '{{service}}' },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Memory',
          description: 'Resident.',
          unit: 'bytes',
          width: 6,
          queries: [
            { expr: `sum by (service) (process_resident_memory_bytes${of('service!=""')})`, legend: '{{service}}' },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Faults, by code',
          description:
            'That services survived, in the time that a point stands for; docs/faults.md says what each means.',
          unit: 'none',
          width: 24,
          queries: [
            {
              expr: orNone(
                `sum by (service, code) (increase(stream_infer_faults_total${of()}[$__rate_interval]))`,
                'code',
              ),
              legend: '{{service}} {{code}}',
            },
          ],
        },
      ],
    },
  ],
};
