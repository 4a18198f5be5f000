/** The ingest service: claims streams of the registry and turns their sources into numbered frames on the bus. */

import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { connectBus, reachedBy } from '@stream-infer/bus/bus';
import { Membership } from '@stream-infer/bus/membership';
import { openAssignments, openMembers, openRunners, openRuns, openStreams } from '@stream-infer/bus/registry';
import { keepRegistry } from '@stream-infer/bus/registry-upkeep';
import { openSnapshots } from '@stream-infer/bus/snapshots';
import { toFault } from '@stream-infer/core/fault';
import { givenAllowance } from '@stream-infer/core/given-allowance';
import { CAMERAS_ONLY } from '@stream-infer/core/source-allowance';
import type { Service, ServiceContext } from '@stream-infer/service-kit/service';
import { ConnectionGate } from './connection-gate.ts';
import { programVersion } from './ffmpeg-version.ts';
import { createIngestMetrics } from './metrics.ts';
import { SourcePolicy } from './source-policy.ts';
import { StreamRoster } from './stream-roster.ts';

/** Throws FFMPEG_MISSING, FFMPEG_TOO_OLD and NATS_UNREACHABLE. */
export async function startIngest(context: ServiceContext<'ingest'>): Promise<Service> {
  const { settings, logger, report } = context;
  const [ffmpeg, ffprobe] = await Promise.all([
    programVersion('ffmpeg', settings.ffmpegPath),
    programVersion('ffprobe', settings.ffprobePath),
  ]);
  const owner = settings.instanceId ?? `ingest-${hostname().slice(0, 40)}-${randomBytes(4).toString('hex')}`;
  const bus = await connectBus({
    ...reachedBy(settings),
    client: 'ingest',
    name: owner,
    report: context.report,
  });
  try {
    const [streams, runs, members, runners, assignments, snapshots] = await Promise.all([
      openStreams(bus),
      openRuns(bus),
      openMembers(bus),
      openRunners(bus),
      openAssignments(bus),
      openSnapshots(bus),
    ]);
    const metrics = createIngestMetrics(context.metrics);
    const allow = givenAllowance(context.configuration?.configuration.sources?.allow, process.env.SOURCES_ALLOW);
    const policy = new SourcePolicy(allow ?? CAMERAS_ONLY);
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
    metrics.observeMembers(() => membership.live.length);
    const roster: StreamRoster = new StreamRoster({
      context: { bus, settings, metrics, gate, policy, logger, report },
      streams,
      runs,
      membership,
    });
    const endUpkeep = keepRegistry({
      buckets: [streams, runs, members, runners, assignments, snapshots],
      isMine: () => membership.live[0] === owner,
      onTrouble: (error) => report(toFault(error, 'BUS_FAILED', 'what is deleted in the registry cannot be forgotten')),
    });
    roster.start((error) => context.fail(toFault(error, 'BUS_FAILED', 'the registry of streams cannot be watched')));
    logger.info({ owner, ffmpeg, ffprobe }, 'ready to play');
    let stopping: Promise<void> | undefined;
    return {
      addresses: {},
      live: () => membership.isBeating && !bus.connection.isClosed() && !roster.standsStill(membership.isHeard),
      ready: () => stopping === undefined && roster.isCurrent && membership.isHeard,
      ledger: () => metrics.ledgers(),
      stop() {
        stopping ??= (async () => {
          endUpkeep();
          const stopped = roster.stop();
          // At once: while it counts as alive, with less and less to play, the others leave to it what it gives back.
          await membership.close();
          await stopped;
          metrics.close();
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
