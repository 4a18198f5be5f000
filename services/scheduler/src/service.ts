/** The scheduler: runs out of the registry, runners to send to, results into RESULTS. */

import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { connectBus, reachedBy } from '@stream-infer/bus/bus';
import { ensureDeadLetterStream } from '@stream-infer/bus/dead-letters';
import { Membership } from '@stream-infer/bus/membership';
import { openAssignments, openCosts, openMembers, openRunners, openRuns } from '@stream-infer/bus/registry';
import { ensureResultStream, publishRunEnd } from '@stream-infer/bus/result-stream';
import { openSnapshots } from '@stream-infer/bus/snapshots';
import { canonicalJson } from '@stream-infer/core/canonical-json';
import { failedRunEnd } from '@stream-infer/core/failed-run-end';
import { toFault } from '@stream-infer/core/fault';
import { followAlgorithms } from '@stream-infer/service-kit/followed-algorithms';
import type { Service, ServiceContext } from '@stream-infer/service-kit/service';
import { grpcTls } from '@stream-infer/service-kit/tls-files';
import { Dispatcher } from './dispatcher.ts';
import { LatenessReport } from './lateness-report.ts';
import { LoadReport } from './load-report.ts';
import { createSchedulerMetrics } from './metrics.ts';
import { RunDirectory } from './run-directory.ts';
import { RunnerDirectory } from './runner-directory.ts';
import { StreamClaims } from './stream-claims.ts';
import { StreamRun } from './stream-run.ts';

/** Throws NATS_UNREACHABLE, BUS_NO_ROOM. */
export async function startScheduler(
  context: Pick<ServiceContext<'scheduler'>, 'settings' | 'configuration' | 'logger' | 'metrics' | 'report'>,
): Promise<Service> {
  const { settings, logger, report } = context;
  const bus = await connectBus({
    ...reachedBy(settings),
    client: 'scheduler',
    name: 'scheduler',
    report: context.report,
  });
  try {
    await ensureResultStream(bus, { maxBytes: settings.resultsMaxBytes });
    await ensureDeadLetterStream(bus, { maxBytes: settings.deadLettersMaxBytes });
    const replica = randomUUID();
    const metrics = createSchedulerMetrics(context.metrics);
    const dispatcher = new Dispatcher();
    const lateness = new LatenessReport(logger);
    const [runnerBucket, runBucket, members, assignments, snapshots, costs] = await Promise.all([
      openRunners(bus),
      openRuns(bus),
      openMembers(bus),
      openAssignments(bus),
      openSnapshots(bus),
      openCosts(bus),
    ]);
    const files = await grpcTls(settings, (fault) => report(fault, {}));
    const algorithms = followAlgorithms(context.configuration, { report: (fault) => report(fault, {}) });
    const load: LoadReport = new LoadReport({
      costs,
      definitions: algorithms.current,
      runners: () => runners,
      registry: context.metrics,
      report: (fault) => report(fault, {}),
    });
    const runners: RunnerDirectory = new RunnerDirectory({
      runners: runnerBucket,
      tls: files && { files, serverName: settings.grpcServerName },
      dispatcher,
      caller: replica,
      metrics,
      logger,
      answered: (definition, result) => load.answered(definition, result),
      report,
    });
    const membership = new Membership({
      bus,
      members,
      role: 'scheduler',
      id: settings.instanceId ?? `scheduler-${hostname().slice(0, 40)}-${replica.slice(0, 8)}`,
      held: () => runs.held,
      onChange: () => claims.look(),
      onTrouble: (error) => report(toFault(error, 'BUS_FAILED', 'the other schedulers cannot be heard'), {}),
    });
    metrics.observeMembers(() => membership.live.length);
    const claims: StreamClaims = new StreamClaims({
      assignments,
      membership,
      isReady: () => runs.isCurrent,
      gained: (stream, token) => runs.gained(stream, token),
      lost: async (stream) => {
        await runs.lost(stream);
        // What it had is settled: whoever gets the stream is to know before.
        await membership.beatNow();
      },
      report: (fault) => report(fault, {}),
    });
    const runs: RunDirectory = new RunDirectory({
      runs: runBucket,
      report: (fault) => report(fault, {}),
      conclude: async (run, fault) => {
        const end = failedRunEnd(run, fault, Date.now() - run.startedAtMs);
        await publishRunEnd(bus, run, new TextEncoder().encode(canonicalJson(end))).catch((error: unknown) => {
          report(
            toFault(error, 'BUS_FAILED', `the end of run ${run.run} of stream ${run.stream} is not published`),
            {},
          );
        });
      },
      appeared: (stream) => claims.appeared(stream),
      gone: (stream) => claims.gone(stream),
      follow: (run, token, inherited) =>
        new StreamRun({
          bus,
          run,
          replica,
          token,
          inherited,
          heldBefore: inherited.size === 0 ? membership.heldBefore(run.stream, run.run) : undefined,
          dispatcher,
          metrics,
          lateness,
          load,
          snapshots,
          logger,
          report,
        }),
    });
    let stopped: Promise<void> | undefined;
    const stop = async (): Promise<void> => {
      await runs.halt();
      await membership.beatNow();
      await claims.close();
      await membership.close();
      await runners.close();
      await algorithms.close();
      await load.close();
      files?.close();
      lateness.close();
      metrics.close();
      await bus.close();
    };
    return {
      addresses: {},
      // Slow algorithms, absent runners and a full bus hold work for as long as they do: what is left to stand still is the loop.
      live: () => membership.isBeating && !bus.connection.isClosed(),
      ready: () =>
        stopped === undefined && membership.isHeard && runs.isCurrent && claims.isCurrent && runners.isCurrent,
      ledger: () => metrics.ledgers(),
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
