/**
 * The algo-runner. Algorithms are initialised first, so that one that cannot run ends the process before anybody is told of it; then
 * gRPC listens; then the runner registers and takes work. It stops in the opposite order, and finishes what it has.
 *
 * Two workers set aside at once (D7) are two cores lost to windows that nobody waits for: the runner restarts.
 */

import { hostname } from 'node:os';
import { connectBus, reachedBy } from '@stream-infer/bus/bus';
import { fetchFrame } from '@stream-infer/bus/frame-fetcher';
import { openRunners, type RunnerRegistration } from '@stream-infer/bus/registry';
import { Fault } from '@stream-infer/core/fault';
import type { Service, ServiceContext } from '@stream-infer/service-kit/service';
import { grpcTls } from '@stream-infer/service-kit/tls-files';
import packageJson from '../package.json' with { type: 'json' };
import type { Offer } from './conversation.ts';
import { FrameSource } from './frame-source.ts';
import { startGrpcServer } from './grpc-server.ts';
import { createRunnerMetrics, observeServed } from './metrics.ts';
import { register } from './registration.ts';
import { createRunnerId } from './runner-id.ts';
import { servedDefinitions } from './served-definitions.ts';
import { createServedPool, type ServedPool } from './served-pool.ts';
import type { Placement } from './worker-messages.ts';

const SET_ASIDE_LIMIT = 2;
/** A runner whose beats the registry does not take gets no work, whatever it could do. */
const BEAT_AGE_LIMIT_MS = 5_000;
/** A runner that does not even try to beat is to be restarted. */
const STANDSTILL_LIMIT_MS = 15_000;

type Context = ServiceContext<'algoRunner'>;

/** Throws the fault of an algorithm that cannot run, PORT_IN_USE, NATS_UNREACHABLE, or what is wrong with the settings. */
export async function startAlgoRunner(context: Context): Promise<Service> {
  const opened = new AsyncDisposableStack();
  try {
    return await start(context, opened);
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}

/** @param opened takes what closes what is opened here, last first. */
async function start(context: Context, opened: AsyncDisposableStack): Promise<Service> {
  const { settings } = context;
  const id = createRunnerId();
  const bus = await connectBus({
    ...reachedBy(settings),
    client: 'algo-runner',
    name: `algo-runner ${id}`,
    report: context.report,
  });
  opened.defer(() => bus.close());

  const served = serve(context, new FrameSource((jetstream, sequence) => fetchFrame(bus, jetstream, sequence)));
  opened.defer(async () => void (await Promise.all(served.map(({ pool }) => pool.close()))));
  await Promise.all(served.map(({ pool }) => pool.start()));

  const tls = await grpcTls(settings, context.report);
  if (tls) opened.defer(() => tls.close());
  const server = await startGrpcServer({
    host: settings.grpcHost,
    tls: tls && { files: tls, clientName: settings.grpcClientName, refused: context.report },
    port: settings.grpcPort,
    runner: id,
    version: packageJson.version,
    offers: new Map(served.map((one) => [one.algorithm.definition, offer(one)])),
  });
  opened.defer(() => server.close());
  observeServed(
    context.metrics,
    served.map(({ algorithm: { definition }, pool }) => ({
      definition,
      workers: (state) => pool.count(state),
      credits: () => server.credits(definition),
      placements: () => pool.placements,
      versions: () => pool.versions,
    })),
  );

  const place = {
    address: settings.advertiseAddress ?? advertised(server.address),
    version: packageJson.version,
    startedAtMs: Date.now(),
    ...(tls && { tls: true }),
  };
  const registration = await register({
    runners: await openRunners(bus),
    id,
    runner: () => ({ ...place, algorithms: registered(served) }),
    missed: context.report,
  });
  let stopping: Promise<void> | undefined;
  return {
    addresses: { grpc: server.address },
    // Windows have time limits and lost workers are replaced: what is left to stand still is the loop itself.
    live: () => registration.triedAgeMs() < STANDSTILL_LIMIT_MS,
    ready: () => stopping === undefined && registration.ageMs() < BEAT_AGE_LIMIT_MS,
    stop() {
      stopping ??= (async () => {
        await registration.stop();
        for (const { pool } of served) pool.drain();
        await Promise.all([server.drain(), ...served.map(({ algorithm }) => algorithm.drain())]);
        await opened.disposeAsync();
      })();
      return stopping;
    },
  };
}

/** A model that runs where it should not is slow and not wrong: its runner takes work, and says so, once until an instance runs where it should. */
function fallbackReport({ report }: Context, algorithm: string): (placement: Placement) => void {
  let told: string | undefined;
  return ({ problem }) => {
    if (problem !== undefined && problem !== told) {
      const message = `algorithm "${algorithm}" runs on the CPU: ${problem}; requireGpu keeps a runner from starting so`;
      report(new Fault('GPU_FALLBACK', message), { algorithm });
    }
    told = problem;
  };
}

/** The algorithms that this runner serves, with their worker threads, which are not started yet. */
function serve(context: Context, frames: FrameSource): readonly ServedPool[] {
  const { settings, configuration, logger } = context;
  if (!configuration) {
    throw new Fault('CONFIG_NOT_FOUND', 'the algo-runner needs a configuration: name its file in STREAM_INFER_CONFIG');
  }
  const metrics = createRunnerMetrics(context.metrics);
  const restartIfSetAside = (): void => {
    const setAside = served.reduce((sum, { pool }) => sum + pool.count('set-aside'), 0);
    if (setAside >= SET_ASIDE_LIMIT) context.restart(`${setAside} workers do not come back from their windows`);
  };
  const served = servedDefinitions(configuration.configuration.algorithms, settings.serve).map((definition) => {
    metrics.serves(definition.name);
    return createServedPool({
      definition,
      directory: configuration.directory,
      device: settings.modelDevice,
      requireGpu: settings.requireGpu,
      frames,
      logger,
      answered: (answer) => metrics.answered(definition.name, answer),
      ran: (run) => metrics.ran(definition, run),
      report: context.report,
      placed: fallbackReport(context, definition.name),
      workerLost: () => {
        metrics.workerLost(definition.name);
        restartIfSetAside();
      },
      failed: context.fail,
    });
  });
  context.guardExit(() => served.some(({ pool }) => pool.holdsProcess));
  return served;
}

/** What callers are offered of an algorithm. */
const offer = ({ algorithm, pool }: ServedPool): Offer => ({
  definition: algorithm.definition,
  concurrency: algorithm.concurrency,
  maxBatch: algorithm.maxBatch,
  version: () => pool.version,
  submit: (invocation, answer) => algorithm.submit(invocation, answer),
  forget: (instance) => pool.forget(instance),
});

/** As the registry tells of it; a worker that took another's place may have changed the version. */
const registered = (served: readonly ServedPool[]): RunnerRegistration['algorithms'] =>
  served.map(({ algorithm: { definition, concurrency, maxBatch }, pool }) => ({
    definition,
    version: pool.version,
    concurrency,
    maxBatch,
    state: pool.state,
  }));

/** Where others reach what listens everywhere: this host's name. */
const advertised = (address: string): string => address.replace(/^(?:0\.0\.0\.0|\[::\])(?=:)/, hostname());
