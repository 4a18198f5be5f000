import { expect, test } from 'vitest';
import { autoscalingQuery } from './autoscaling-query.ts';

test('the load of all streams, in percent of a runner', () => {
  expect(autoscalingQuery({ algorithm: 'faces', targetUtilization: 0.57, offline: false })).toEqual({
    query:
      '100 * sum(stream_infer_offered_load{algorithm="faces",mode="realtime"}) / max(stream_infer_runner_capacity{algorithm="faces"})',
    threshold: '57',
  });
});

test('offline work counts times the target, and only that of the installation', () => {
  const { query } = autoscalingQuery({
    algorithm: 'faces',
    targetUtilization: 0.7,
    offline: true,
    installation: { namespace: 'video', prefix: 'site-a' },
  });
  expect(query).toBe(
    '100 * (sum(stream_infer_offered_load{namespace="video",prefix=~"site-a|",algorithm="faces",mode="realtime"}) + 0.7 * sum(stream_infer_offered_load{namespace="video",prefix=~"site-a|",algorithm="faces",mode="offline"})) / max(stream_infer_runner_capacity{namespace="video",prefix=~"site-a|",algorithm="faces"})',
  );
});
