/** What lies between the services: frames in the bus's memory, results on their way into the store, and the API in front of it. */

import { type Dashboard, halfAndMost, INSTALLATION, of, orNone, sumRate } from './dashboard.ts';

export const busAndStore: Dashboard = {
  name: 'bus-and-store',
  title: 'Bus and store',
  description:
    'What lies between the services: frames in the bus’s memory, results on their way into the store, and the API in front of it.',
  variables: INSTALLATION,
  rows: [
    {
      title: 'Frames on the bus',
      panels: [
        {
          kind: 'timeseries',
          title: 'Memory',
          description:
            'Reserved by the buffers of streams, full or not; used by frames; and the limit, where it is known.',
          unit: 'bytes',
          width: 8,
          queries: [{ expr: `max by (kind) (stream_infer_bus_memory_bytes${of()})`, legend: '{{kind}}' }],
        },
        {
          kind: 'timeseries',
          title: 'Bytes published a second',
          description: 'Of frames.',
          unit: 'Bps',
          width: 8,
          queries: [{ expr: sumRate('stream_infer_published_bytes_total', of()), legend: 'frames' }],
        },
        {
          kind: 'timeseries',
          title: 'Frames lost on the bus',
          description:
            'A second: not published because the bus takes them too slowly, or dropped before they were read or fetched.',
          unit: 'ops',
          width: 8,
          queries: [
            {
              expr: orNone(sumRate('stream_infer_frames_total', of('fate=~"evicted|gap"'), 'fate', 'reason'), 'fate'),
              legend: '{{fate}} {{reason}}',
            },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Age of frames when they are published',
          description: 'From their arrival from the decoder.',
          unit: 's',
          width: 8,
          queries: halfAndMost('stream_infer_frame_age_seconds', of()),
        },
        {
          kind: 'timeseries',
          title: 'Publishing again',
          description:
            'Times that publishing went back to a frame that was not stored, in the time that a point stands for.',
          unit: 'none',
          width: 8,
          queries: [
            {
              expr: orNone(
                `sum by (reason) (increase(stream_infer_publish_retries_total${of()}[$__rate_interval]))`,
                'reason',
              ),
              legend: '{{reason}}',
            },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Faults of the bus',
          description: 'That services told of, in the time that a point stands for.',
          unit: 'none',
          width: 8,
          queries: [
            {
              expr: orNone(
                `sum by (service, code) (increase(stream_infer_faults_total${of('code=~"BUS_.*|NATS_.*"')}[$__rate_interval]))`,
                'code',
              ),
              legend: '{{service}} {{code}}',
            },
          ],
        },
      ],
    },
    {
      title: 'Results on their way',
      panels: [
        {
          kind: 'timeseries',
          title: 'Results a second',
          description: 'Published, and stored.',
          unit: 'ops',
          width: 8,
          queries: [
            { expr: sumRate('stream_infer_results_published_total', of()), legend: 'published' },
            { expr: sumRate('stream_infer_stored_results_total', of()), legend: 'stored' },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Not stored yet',
          description: 'Messages on the bus, as of the last batch.',
          unit: 'none',
          width: 8,
          queries: [{ expr: `max(stream_infer_pending_results${of()})`, legend: 'messages' }],
        },
        {
          kind: 'timeseries',
          title: 'Stream of results',
          description: 'On the bus’s disk. Once it is full, offline streams pause and realtime results are dropped.',
          unit: 'bytes',
          width: 8,
          queries: [{ expr: `max by (kind) (stream_infer_result_stream_bytes${of()})`, legend: '{{kind}}' }],
        },
        {
          kind: 'timeseries',
          title: 'Refused by the bus',
          description: 'Results and dead letters, or left unanswered, in the time that a point stands for.',
          unit: 'none',
          width: 8,
          queries: [
            {
              expr: orNone(
                `sum by (kind) (increase(stream_infer_results_refused_total${of()}[$__rate_interval]))`,
                'kind',
              ),
              legend: '{{kind}}',
            },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Trimmed, and told twice',
          description:
            'Messages a second: removed from the bus after they were stored, and those that told nothing new or were no results.',
          unit: 'ops',
          width: 8,
          queries: [
            { expr: sumRate('stream_infer_trimmed_messages_total', of()), legend: 'trimmed' },
            { expr: sumRate('stream_infer_duplicate_results_total', of()), legend: 'duplicates' },
            { expr: sumRate('stream_infer_unreadable_results_total', of()), legend: 'unreadable' },
          ],
        },
      ],
    },
    {
      title: 'Store and API',
      panels: [
        {
          kind: 'timeseries',
          title: 'Time to commit a batch',
          description: 'To the store.',
          unit: 's',
          width: 6,
          queries: halfAndMost('stream_infer_commit_seconds', of()),
        },
        {
          kind: 'timeseries',
          title: 'Size of the store',
          description: 'Pages in use, and the file.',
          unit: 'bytes',
          width: 6,
          queries: [{ expr: `max by (kind) (stream_infer_store_bytes${of()})`, legend: '{{kind}}' }],
        },
        {
          kind: 'timeseries',
          title: 'Removed by retention',
          description: 'Results a second.',
          unit: 'ops',
          width: 6,
          queries: [
            {
              expr: orNone(sumRate('stream_infer_removed_results_total', of(), 'reason'), 'reason'),
              legend: '{{reason}}',
            },
          ],
        },
        {
          kind: 'timeseries',
          title: 'API',
          description:
            'Clients that listen to events; requests that were refused or failed, in the time that a point stands for.',
          unit: 'none',
          width: 6,
          queries: [
            { expr: `sum(stream_infer_event_clients${of()})`, legend: 'clients of events' },
            {
              expr: orNone(`sum by (code) (increase(stream_infer_api_errors_total${of()}[$__rate_interval]))`, 'code'),
              legend: '{{code}}',
            },
          ],
        },
      ],
    },
  ],
};
