/**
 * The values for NATS that are shipped beside the chart (deploy/k8s/nats): three servers, configured as they say, take the services by the users of `stream-infer bus
 * permissions`. The chart of NATS' makers, which reads these values, is not part of it: what it makes of `config` is written here by its rules.
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Bus, connectBus } from '@stream-infer/bus/bus';
import { BUS_CLIENTS, type BusClient } from '@stream-infer/bus/bus-client';
import { ensureResultStream } from '@stream-infer/bus/result-stream';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { streamInfer } from '../harness/command.ts';
import { eventually } from '../harness/eventually.ts';
import { startNatsCluster } from '../harness/nats-cluster.ts';
import { root } from '../harness/programs.ts';

type NatsValues = {
  readonly config: {
    readonly cluster: { readonly replicas: number };
    readonly jetstream: {
      readonly memoryStore: { readonly maxSize: string };
      readonly fileStore: { readonly pvc: { readonly size: string } };
      readonly merge: Readonly<Record<string, string>>;
    };
    readonly merge: Readonly<Record<string, string>>;
  };
  readonly container: { readonly env: Readonly<Record<string, unknown>> };
};

const values = parse(await readFile(join(root, 'deploy', 'k8s', 'nats', 'values.yaml'), 'utf8')) as NatsValues;
const PREFIX = 'stream-infer';

/** Between << and >> stands what is written as it is; a store has the size of its volume where it has none of its own. */
const text = (value: string): string => /^<< (.*) >>$/.exec(value)?.[1] ?? JSON.stringify(value);
const lines = (settings: Readonly<Record<string, string>>): string =>
  Object.entries(settings)
    .map(([key, value]) => (key.endsWith('$include') ? '' : `${key}: ${text(value)}`))
    .join('\n');

function configuration({ jetstream, merge }: NatsValues['config'], users: string): string {
  const store = `max_memory_store: ${jetstream.memoryStore.maxSize}\nmax_file_store: ${jetstream.fileStore.pvc.size}`;
  return `jetstream {\n${store}\n${lines(jetstream.merge)}\n}\n${lines(merge)}\n${users}`;
}

test('three servers with these values know the users, take a frame in one message, and a result on two of them is acknowledged', async () => {
  expect(values.config.merge.$include).toBe('./users.conf');
  const { stdout: users } = await streamInfer(['bus', 'permissions', '--prefix', PREFIX]);
  const passwords = [...users.matchAll(/password: \$(\w+)/g)].map(([, variable]) => variable ?? '');
  expect(Object.keys(values.container.env)).toEqual(expect.arrayContaining(passwords));
  const environment = Object.fromEntries(passwords.map((variable) => [variable, `of-${variable}`]));
  const cluster = await startNatsCluster({ configuration: configuration(values.config, users), environment });
  const opened: Bus[] = [];
  const as = async (client: BusClient): Promise<Bus> => {
    const natsPassword = `of-${client.replace('-', '_').toUpperCase()}_PASSWORD`;
    const access = { natsUser: client, natsPassword, natsReplicas: values.config.cluster.replicas };
    const bus = await connectBus({ url: cluster.url, prefix: PREFIX, name: client, client, access });
    opened.push(bus);
    return bus;
  };
  try {
    const scheduler = await eventually('the cluster has JetStream', () => as('scheduler'));
    for (const client of BUS_CLIENTS) expect((await as(client)).maxPayloadBytes).toBe(16 * 1024 * 1024);
    await eventually('results are on three servers', async () => {
      await ensureResultStream(scheduler, { maxBytes: 2 ** 20 });
      const { config, cluster: peers } = await scheduler.manager.streams.info(scheduler.topology.resultsStream);
      return config.num_replicas === 3 && peers?.replicas?.length === 2;
    });
    const subject = scheduler.topology.resultSubject('gate', 'r1', 'faces');
    expect((await scheduler.jetstream.publish(subject, '{}')).seq).toBe(1);
    await cluster.kill(0);
    await eventually('a result is acknowledged by two', () => scheduler.jetstream.publish(subject, '{}'));
  } finally {
    await Promise.all(opened.map((bus) => bus.close()));
    await cluster.stop();
  }
});
