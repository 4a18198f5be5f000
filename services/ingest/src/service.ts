/** The ingest service: claims streams of the registry and turns their sources into numbered frames on the bus. */

import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { connectBus } from '@stream-infer/bus/bus';
import { openRuns, openStreams } from '@stream-infer/bus/registry';
import { toFault } from '@stream-infer/core/fault';
import type { Service, ServiceContext } from '@stream-infer/service-kit/service';
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
  const owner = `ingest-${hostname().slice(0, 40)}-${randomBytes(4).toString('hex')}`;
  const bus = await connectBus({ url: settings.natsUrl, prefix: settings.natsPrefix, name: owner });
  try {
    const [streams, runs] = await Promise.all([openStreams(bus), openRuns(bus)]);
    const metrics = createIngestMetrics(context.metrics);
    const roster = new StreamRoster({ context: { bus, settings, metrics, logger, report }, streams, runs, owner });
    roster.start((error) => context.fail(toFault(error, 'BUS_FAILED', 'the registry of streams cannot be watched')));
    logger.info({ owner, ffmpeg, ffprobe }, 'ready to play');
    let stopping: Promise<void> | undefined;
    return {
      addresses: {},
      live: () => true,
      ready: () => stopping === undefined && roster.isCurrent && !bus.connection.isClosed(),
      stop() {
        stopping ??= (async () => {
          await roster.stop();
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
