/** How long results take and how late they are: alike on each dashboard that tells it, of what it is about. */

import type { Panel, Query } from './dashboard.ts';

/** @param part which part of the results is told, as the titles say it; @param queries of the histogram that they are given. */
export const delayPanels = (part: string, queries: (histogram: string) => readonly Query[]): readonly Panel[] => [
  {
    kind: 'timeseries',
    title: `Latency${part}`,
    description: 'From a window being due to its result being published.',
    unit: 's',
    width: 8,
    queries: queries('stream_infer_result_latency_seconds'),
  },
  {
    kind: 'timeseries',
    title: `Lateness${part}`,
    description: 'In realtime: how much later than one interval after its frame a result came.',
    unit: 's',
    width: 8,
    queries: queries('stream_infer_result_lateness_seconds'),
  },
];
