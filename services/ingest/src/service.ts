/** The ingest service: claims streams of the registry and turns their sources into numbered frames on the bus. */

import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { connectBus } from '@stream-infer/bus/bus';
import { Membership } from '@stream-infer/bus/membership';
import { openMembers, openRuns, openStreams } from '@stream-infer/bus/registry';
import { toFault } from '@stream-infer/core/fault';
import type { Service, ServiceContext } from '@stream-infer/service-kit/service';
import { ConnectionGate } from './connection-gate.ts';
import { programVersion } from './ffmpeg-version.ts';
import { createIngestMetrics } from './metrics.ts';
import { StreamRoster } from './stream-roster.ts';

/** Throws FFMPEG_MISSING, FFMPEG_TOO_OLD and NATS_UNREACHABLE. */
export async function startIngest(context: ServiceContext<'ingest'>): Promise<Service> {
  const { settings, logger, report } = context;
  const [ffmpeg, ffprobe] = await Promise.all([
    programVersion('ffmpeg', settings.ffmpegPath),
    programVersion('ffprobe', settings.ffprobePath),
  ]);
  const owner = settings.instanceId ?? `ingest-${hostname().slice(0, 40)}-${randomBytes(4).toString('hex')}`;
  const bus = await connectBus({ url: settings.natsUrl, prefix: settings.natsPrefix, name: owner });
  try {
    const [streams, runs, members] = await Promise.all([openStreams(bus), openRuns(bus), openMembers(bus)]);
    const metrics = createIngestMetrics(context.metrics);
    const gate = new ConnectionGate(settings.connectionsPerHost);
    const membership = new Membership({
      bus,
      members,
      role: 'ingest',
      id: owner,
      held: () => roster.held,
      onChange: () => roster.look(),
      onTrouble: (error) => report(toFault(error, 'BUS_FAILED', 'the other ingests cannot be heard')),
    });
    const roster: StreamRoster = new StreamRoster({
      context: { bus, settings, metrics, gate, logger, report },
      streams,
      runs,
      membership,
    });
    roster.start((error) => context.fail(toFault(error, 'BUS_FAILED', 'the registry of streams cannot be watched')));
    logger.info({ owner, ffmpeg, ffprobe }, 'ready to play');
    let stopping: Promise<void> | undefined;
    return {
      addresses: {},
      live: () => true,
      ready: () => stopping === undefined && roster.isCurrent && !bus.connection.isClosed(),
      ledger: () => metrics.ledgers(),
      stop() {
        stopping ??= (async () => {
          await roster.stop();
          await membership.close();
          await bus.close();
        })();
        return stopping;
      },
    };
  } catch (error) {
    await bus.close();
    throw error;
  }
}
