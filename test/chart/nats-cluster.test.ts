/** What the chart's nats.replicas asks of a cluster of NATS: what is kept is on so many servers, and goes on without one of them. */

import { type Bus, connectBus } from '@stream-infer/bus/bus';
import { ensureDeadLetterStream } from '@stream-infer/bus/dead-letters';
import { openRuns, openStreams } from '@stream-infer/bus/registry';
import { ensureResultStream } from '@stream-infer/bus/result-stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { type NatsCluster, startNatsCluster } from '../harness/nats-cluster.ts';
import { startNatsServer } from '../harness/nats-server.ts';

let cluster: NatsCluster;
let bus: Bus;
beforeAll(async () => {
  cluster = await startNatsCluster();
  bus = await eventually('the cluster has JetStream', () =>
    connectBus({ url: cluster.url, prefix: 'site', name: 'test', access: { natsReplicas: 3 } }),
  );
});
afterAll(async () => {
  await bus?.close();
  await cluster?.stop();
});

test('the registry, results and dead letters are on three servers, and are there with two', async () => {
  await eventually('the cluster has a leader', async () => {
    await ensureResultStream(bus, { maxBytes: 2 ** 20 });
    return true;
  });
  await ensureDeadLetterStream(bus, { maxBytes: 2 ** 20 });
  const [streams] = await Promise.all([openStreams(bus), openRuns(bus)]);
  const { resultsStream, deadLettersStream, buckets } = bus.topology;
  for (const name of [resultsStream, deadLettersStream, `KV_${buckets.streams}`, `KV_${buckets.runs}`]) {
    const { config, cluster: peers } = await bus.manager.streams.info(name);
    expect([name, config.num_replicas, peers?.replicas?.length]).toEqual([name, 3, 2]);
  }
  const spec = { id: 'gate', source: 'rtsp://camera/1', mode: 'realtime' } as const;
  const whole = {
    ...spec,
    pixelFormat: 'bgr24',
    encoding: 'raw',
    position: '0',
    videoStream: 0,
    algorithms: [],
  } as const;
  await streams.put('gate', whole);
  await cluster.kill(0);
  const kept = await eventually('what was kept is there', () => streams.get('gate'));
  expect(kept.value.id).toBe('gate');
  await eventually('more can be kept', () => streams.put('gate', whole));
});

test('a server that is in no cluster is refused with what to do', async () => {
  const server = await startNatsServer();
  const refused = connectBus({ url: server.url, prefix: 'site', name: 'test', access: { natsReplicas: 3 } });
  await expect(refused).rejects.toMatchObject({
    code: 'BUS_FAILED',
    message: expect.stringContaining('natsReplicas is 3'),
  });
  await server.stop();
});
