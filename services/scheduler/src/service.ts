/** The scheduler: runs out of the registry, runners to send to, results into RESULTS. */

import { randomUUID } from 'node:crypto';
import { connectBus } from '@stream-infer/bus/bus';
import { openRunners, openRuns } from '@stream-infer/bus/registry';
import { ensureResultStream } from '@stream-infer/bus/result-stream';
import { openSnapshots } from '@stream-infer/bus/snapshots';
import type { Service, ServiceContext } from '@stream-infer/service-kit/service';
import { Dispatcher } from './dispatcher.ts';
import { LatenessReport } from './lateness-report.ts';
import { createSchedulerMetrics } from './metrics.ts';
import { RunDirectory } from './run-directory.ts';
import { RunnerDirectory } from './runner-directory.ts';
import { StreamRun } from './stream-run.ts';

/** Throws NATS_UNREACHABLE, BUS_NO_ROOM. */
export async function startScheduler(
  context: Pick<ServiceContext<'scheduler'>, 'settings' | 'logger' | 'metrics' | 'report'>,
): Promise<Service> {
  const { settings, logger, report } = context;
  const bus = await connectBus({ url: settings.natsUrl, prefix: settings.natsPrefix, name: 'scheduler' });
  try {
    await ensureResultStream(bus, { maxBytes: settings.resultsMaxBytes });
    const replica = randomUUID();
    const metrics = createSchedulerMetrics(context.metrics);
    const dispatcher = new Dispatcher();
    const lateness = new LatenessReport(logger);
    const [runnerBucket, runBucket, snapshots] = await Promise.all([
      openRunners(bus),
      openRuns(bus),
      openSnapshots(bus),
    ]);
    const runners = new RunnerDirectory({
      runners: runnerBucket,
      dispatcher,
      caller: replica,
      metrics,
      logger,
      report,
    });
    const runs = new RunDirectory({
      runs: runBucket,
      report,
      follow: (run) => new StreamRun({ bus, run, replica, dispatcher, metrics, lateness, snapshots, logger, report }),
    });
    let stopped: Promise<void> | undefined;
    const stop = async (): Promise<void> => {
      await runs.halt();
      await runners.close();
      lateness.close();
      await bus.close();
    };
    return {
      addresses: {},
      live: () => !bus.connection.isClosed(),
      ready: () => stopped === undefined && bus.isConnected && runs.isCurrent && runners.isCurrent,
      stop: () => {
        stopped ??= stop();
        return stopped;
      },
    };
  } catch (error) {
    await bus.close();
    throw error;
  }
}
