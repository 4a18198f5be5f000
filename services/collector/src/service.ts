/** The collector: results from the bus into the store, and out of the store to whoever asks. */

import { type Bus, connectBus, reachedBy } from '@stream-infer/bus/bus';
import { ensureResultStream } from '@stream-infer/bus/result-stream';
import { toFault } from '@stream-infer/core/fault';
import { givenAllowance } from '@stream-infer/core/given-allowance';
import { isLoopbackHost } from '@stream-infer/core/loopback-host';
import { followAlgorithms } from '@stream-infer/service-kit/followed-algorithms';
import type { Service, ServiceContext } from '@stream-infer/service-kit/service';
import { startApi } from './api.ts';
import { openApiTokens } from './api-tokens.ts';
import { measureBus } from './bus-measure.ts';
import { openConfiguredStore } from './configured-store.ts';
import { createEventFeed } from './event-feed.ts';
import { createForgottenEnds, type ForgottenEnds } from './forgotten-ends.ts';
import { startLiveFollower } from './live-follower.ts';
import { type CollectorMetrics, createCollectorMetrics } from './metrics.ts';
import { periodically } from './periodic.ts';
import { type ResultConsumer, startResultConsumer } from './result-consumer.ts';
import type { ResultStore } from './result-store.ts';
import { createResultTrimmer, type ResultTrimmer } from './result-trimmer.ts';
import { applyRetention } from './retention-keeper.ts';
import { createStatusBoard } from './status-board.ts';
import { isStoreAbsence } from './store-absence.ts';
import { createAdmission } from './stream-admission.ts';
import { openStreamRegistry } from './stream-registry.ts';
import { shownStreams } from './stream-routes.ts';

const RETENTION_INTERVAL_MS = 2_000;
const TRIM_INTERVAL_MS = 2_000;
const SHOW_INTERVAL_MS = 2_000;
const MEASURE_INTERVAL_MS = 5_000;
/** The consumer's loop turns each second; one that has stood still for so long hangs. */
const HANGING_MS = 15_000;

/** Throws STORE_FAILED, STORE_UNAUTHORIZED, TLS_REFUSED, NATS_UNREACHABLE, BUS_FAILED and PORT_IN_USE. */
export async function startCollector(context: ServiceContext<'collector'>): Promise<Service> {
  const { settings, logger, fail } = context;
  // Closed in the opposite order of opening, on a fault of the start and on a stop alike.
  await using opened = new AsyncDisposableStack();
  const metrics = opened.adopt(createCollectorMetrics(context.metrics), (each) => each.close());
  const configured = await openConfiguredStore(context, metrics);
  const store = opened.adopt(configured.store, (each) => each.close());
  const bus = opened.adopt(
    await connectBus({
      ...reachedBy(settings),
      client: 'collector',
      name: 'collector',
      report: context.report,
    }),
    (each) => each.close(),
  );
  await ensureResultStream(bus, { maxBytes: settings.resultsMaxBytes });

  const feed = createEventFeed();
  const stopping = new AbortController();
  const { signal } = stopping;
  const registry = await openStreamRegistry(bus, createAdmission(bus, settings.busMemoryBytes), signal);
  const board = opened.adopt(createStatusBoard(bus), (each) => each.close());
  const forgotten = createForgottenEnds(bus, store, registry);
  metrics.observeStreams((stream) => registry.stream(stream) !== undefined);
  const algorithms = opened.adopt(followAlgorithms(context.configuration, { report: context.report }), (each) =>
    each.close(),
  );
  const { apiHost: host, apiPort: port, apiTokensFile } = settings;
  const tokens =
    apiTokensFile === undefined
      ? undefined
      : opened.adopt(await openApiTokens(apiTokensFile, context.report), (each) => each.close());
  if (!tokens && !isLoopbackHost(host))
    logger.warn(
      { host },
      'the API listens beyond this machine without tokens: whoever reaches it reads results and changes streams; set apiTokensFile',
    );
  const api = opened.adopt(
    await startApi({
      host,
      port,
      tokens,
      store,
      registry,
      board,
      forgotten,
      algorithms: algorithms.current,
      allow: givenAllowance(context.configuration?.configuration.sources?.allow, process.env.SOURCES_ALLOW),
      feed,
      metrics,
      logger,
      signal,
    }),
    (each) => each.close(),
  );
  const trimmer = createResultTrimmer({
    bus,
    store,
    hasRunOf: (stream) => registry.run(stream) !== undefined,
  });
  const { resultsMaxBytes } = settings;
  const consumer = startResultConsumer({ bus, store, feed, trimmer, metrics, logger, resultsMaxBytes, signal });
  const isStoring = (): boolean => consumer.state() === 'storing';
  metrics.observeStoring(isStoring);
  // Where nobody shares the store every commit is this collector's own.
  const follower = configured.shared ? startLiveFollower({ bus, store, feed, isStoring, signal }) : undefined;
  const isStandingBy = (): boolean => consumer.state() === 'standing-by' && follower?.following() === true;
  const loops = [
    consumer.done,
    follower?.done,
    periodically(RETENTION_INTERVAL_MS, signal, () => retain({ context, store, consumer, metrics, signal })),
    periodically(MEASURE_INTERVAL_MS, signal, () => measure({ context, bus, consumer, metrics, signal })),
    periodically(SHOW_INTERVAL_MS, signal, async () =>
      // Cut off from the bus it hears of no stream: what it would show is no camera's state.
      metrics.showStreams(bus.isConnected ? await shownStreams({ store, registry, board, forgotten }) : []),
    ),
    periodically(TRIM_INTERVAL_MS, signal, () => trim({ context, trimmer, consumer, forgotten, metrics, signal })),
  ].map((loop) =>
    loop?.catch((error: unknown) => fail(toFault(error, 'STORE_FAILED', `the result store ${configured.name} failed`))),
  );
  const following = registry.done.catch((error: unknown) => {
    if (!signal.aborted) fail(toFault(error, 'BUS_FAILED', 'the registry of streams cannot be watched'));
  });
  opened.defer(async () => {
    stopping.abort();
    await Promise.all([...loops, following]);
  });

  const owned = opened.move();
  return {
    addresses: { api: api.address },
    live: () => consumer.idleMs() < HANGING_MS,
    ready: () => configured.available() && (isStoring() || isStandingBy()) && !signal.aborted,
    stop: () => owned.disposeAsync(),
  };
}

type Upkeep = {
  readonly context: ServiceContext<'collector'>;
  readonly consumer: ResultConsumer;
  readonly metrics: CollectorMetrics;
  readonly signal: AbortSignal;
};

async function retain({
  context,
  store,
  consumer,
  metrics,
  signal,
}: Upkeep & { readonly store: ResultStore }): Promise<void> {
  const { retentionDays: days, retentionBytes: bytes } = context.settings;
  const onRemoved = (reason: 'age' | 'bytes', results: number): void => metrics.removed.inc({ reason }, results);
  try {
    // Of the collectors that share a store one removes, the one that stores.
    if (consumer.hasTurn())
      await applyRetention(store, { limits: { days, bytes }, nowMs: Date.now(), signal, onRemoved });
    const { usedBytes, fileBytes } = await store.size();
    metrics.storeBytes.set({ kind: 'used' }, usedBytes);
    metrics.storeBytes.set({ kind: 'file' }, fileBytes);
  } catch (error) {
    if (!isStoreAbsence(error)) throw error;
  }
}

async function measure({ context, bus, consumer, metrics }: Upkeep & { readonly bus: Bus }): Promise<void> {
  if (consumer.state() === 'apart') return;
  // The one that stores measures for all: each look lists every stream of the bus.
  if (consumer.state() === 'standing-by') {
    metrics.busMemory.reset();
    metrics.resultStream.reset();
    return;
  }
  try {
    await measureBus(bus, metrics, context.settings.busMemoryBytes);
  } catch (error) {
    context.report(toFault(error, 'BUS_FAILED', 'how full the bus is cannot be learnt'));
  }
}

async function trim({
  context,
  trimmer,
  consumer,
  forgotten,
  metrics,
  signal,
}: Upkeep & {
  readonly trimmer: ResultTrimmer;
  readonly forgotten: ForgottenEnds;
}): Promise<void> {
  // Without the bus there is nothing to trim, and its absence is told where it is noticed.
  if (consumer.state() === 'apart') return;
  try {
    await forgotten.round();
    if (consumer.state() === 'storing') metrics.trimmed.inc(await trimmer.round(signal));
  } catch (error) {
    if (isStoreAbsence(error)) return;
    context.report(toFault(error, 'BUS_FAILED', 'stored results could not be trimmed from the bus'));
  }
}
