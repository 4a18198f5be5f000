/** `stream-infer bus`: what the NATS users of an installation need, for whoever runs its server; and what it left there, removed. */

import { type Bus, connectBus, reachedBy } from '@stream-infer/bus/bus';
import { BUS_CLIENTS, type BusClient } from '@stream-infer/bus/bus-client';
import { type KeptStream, keptStreams, removeStreams, servicesGone } from '@stream-infer/bus/installation';
import { busPermissions } from '@stream-infer/bus/permissions';
import { busSettings } from '@stream-infer/core/bus-settings';
import { parseValue } from '@stream-infer/core/configuration-fault';
import { Fault } from '@stream-infer/core/fault';
import { readBusSettings } from '@stream-infer/service-kit/settings';
import type { BusCommand } from '../access-arguments.ts';
import { authorizationBlock, nscCommands, passwordVariable } from '../bus/nats-authorization.ts';
import { count } from '../run/run-plan.ts';

const LONGEST_WAIT_SECONDS = 3_600;

type BusOptions = BusCommand['options'];

/** Exit status. Throws USAGE or CONFIG_INVALID; of a purge what connectBus does, and DATA_IN_USE. */
export async function busCommand({ action, options }: BusCommand): Promise<number> {
  if (action === 'permissions') printPermissions(options);
  else await purge(options);
  return 0;
}

function printPermissions(options: BusOptions): void {
  const prefix = prefixOf(options);
  const all = busPermissions(prefix);
  const wanted = options.client === undefined ? BUS_CLIENTS : [clientNamed(options.client)];
  const permissions = Object.fromEntries(wanted.map((client) => [client, all[client]]));
  if (options.json) process.stdout.write(`${JSON.stringify({ prefix, clients: permissions }, null, 2)}\n`);
  else if (options.nsc) process.stdout.write(nscCommands(permissions));
  else process.stdout.write(authorizationBlock(permissions, passwordVariable));
}

async function purge(options: BusOptions): Promise<void> {
  const waitSeconds = options.wait === undefined ? 0 : count('--wait', options.wait, LONGEST_WAIT_SECONDS);
  const settings = { ...readBusSettings(process.env), natsPrefix: prefixOf(options) };
  const reached = reachedBy(options.nats === undefined ? settings : { ...settings, natsUrl: options.nats });
  const bus = await connectBus({ ...reached, client: 'operator', name: 'stream-infer bus purge' });
  try {
    if (options.yes) await allGone(bus, 1_000 * waitSeconds);
    const kept = await keptStreams(bus);
    const names = kept.map(({ name }) => name);
    if (options.yes) await removeStreams(bus, names);
    const report = { prefix: settings.natsPrefix, removed: options.yes, streams: kept };
    process.stdout.write(`${options.json ? JSON.stringify(report, null, 2) : purgeText(kept, options.yes)}\n`);
  } finally {
    await bus.close();
  }
}

/** Throws DATA_IN_USE. */
async function allGone(bus: Bus, limitMs: number): Promise<void> {
  const heard = await servicesGone(bus, limitMs);
  if (heard === undefined) return;
  const problem = `services of the prefix ${bus.topology.prefix} are still there: ${heard.join(', ')}`;
  throw new Fault('DATA_IN_USE', `${problem}; stop them first, or wait for them with --wait SECONDS`);
}

function purgeText(kept: readonly KeptStream[], isRemoved: boolean): string {
  if (kept.length === 0) return 'there is nothing of this prefix';
  const lines = kept.map(({ name, messages, bytes }) => `${name}: ${messages} messages, ${bytes} bytes`);
  return [...lines, isRemoved ? 'removed' : 'nothing is removed: say --yes'].join('\n');
}

const prefixOf = ({ prefix }: BusOptions): string =>
  parseValue(
    busSettings.natsPrefix,
    prefix ?? (process.env.NATS_PREFIX || undefined),
    prefix === undefined ? 'NATS_PREFIX' : '--prefix',
  );

function clientNamed(text: string): BusClient {
  const client = BUS_CLIENTS.find((known) => known === text);
  if (client) return client;
  throw new Fault('USAGE', `--client is ${text}: give one of ${BUS_CLIENTS.join(', ')}`);
}
