/**
 * One run on a system of its own, from its start to its stop: plays the streams, writes what was computed however it ends, draws the
 * annotated videos, and stops everything that it started.
 */

import { setTimeout as wait } from 'node:timers/promises';
import { type Bus, connectBus } from '@stream-infer/bus/bus';
import { type Fault, type FaultCode, toFault } from '@stream-infer/core/fault';
import type { StreamSpec } from '@stream-infer/core/stream-spec';
import { type KeptState, type LocalSystem, startLocalSystem } from '../system/local-system.ts';
import type { Workspace } from '../system/workspace.ts';
import type { Screen } from '../terminal/screen.ts';
import { drawAnnotations } from './annotations.ts';
import { type CollectorClient, collectorClient } from './collector-client.ts';
import { firstErrors } from './first-errors.ts';
import type { InterruptSignal, Interrupts } from './interrupts.ts';
import { type LiveLines, type LiveResults, startLiveResults } from './live-results.ts';
import { createLogDisplay, type LogDisplay, logLevels } from './log-display.ts';
import { showProgress } from './progress-display.ts';
import { type LiveMode, liveMode, writeResults } from './results-output.ts';
import type { RunPlan } from './run-plan.ts';
import { hasPlayed, type StreamResult } from './run-result.ts';
import { playStreams, type StreamPlay } from './stream-play.ts';

/** How a session ended. */
export type SessionEnd =
  | { readonly kind: 'complete' }
  | { readonly kind: 'interrupted'; readonly signal: InterruptSignal }
  | { readonly kind: 'failed'; readonly fault: Fault };

export type SessionOutcome = {
  readonly end: SessionEnd;
  readonly results: readonly StreamResult[];
  /** Of writing and drawing, after the end. */
  readonly faults: readonly Fault[];
  /** Whether the output was written. */
  readonly written: boolean;
  /** The videos that were drawn. */
  readonly annotations: ReadonlyMap<string, string>;
  /** Whether this line has been printed already. */
  readonly hasTold: (line: string) => boolean;
};

type Concluded = Omit<SessionOutcome, 'hasTold'>;

export type SessionOptions = {
  readonly workspace: Workspace;
  /** What outlives the command, where the run is kept. */
  readonly kept: KeptState | undefined;
  /** Path of nats-server. */
  readonly natsServer: string;
  readonly screen: Screen;
  readonly interrupts: Interrupts;
  /** Told of the system as soon as there is one to end in an emergency. */
  readonly onSystem: (system: LocalSystem) => void;
  /** Told when videos begin to be drawn, and when all is done but to stop. */
  readonly onStage: (stage: 'drawing' | 'stopping') => void;
};

/** How long what is under way may take to be stored after an interrupt. */
const INTERRUPTED_LIMIT_MS = 10_000;
/** How long what was computed may take to be drawn after a SIGTERM. */
const DRAWING_LIMIT_MS = 10_000;
/** How long services may take to stop once nothing is asked of them any more; without a part of the system they have nothing to finish. */
const STOP_GRACE_MS = { complete: 5_000, interrupted: 5_000, failed: 500 } as const satisfies Record<
  SessionEnd['kind'],
  number
>;

/** Rejects only where the system cannot be started at all. */
export async function runSession(plan: RunPlan, options: SessionOptions): Promise<SessionOutcome> {
  const { workspace, kept, natsServer, screen, interrupts, onSystem, onStage } = options;
  const { algorithmLevel, serviceLevel } = logLevels(process.env.LOG_LEVEL ?? plan.configuration.algoRunner?.logLevel);
  const logs = createLogDisplay(screen, { live: isRealtime(plan), algorithmLevel });
  screen.progress('starting …');
  const system = await startLocalSystem({
    workspace,
    natsServer,
    configuration: plan.configuration,
    streams: plan.specs,
    directory: plan.directory,
    runners: plan.runners,
    algorithmsFirst: !isRealtime(plan),
    logLevel: serviceLevel,
    ...(kept && { kept }),
    onLog: logs.onLog,
    onOutput: screen.line,
  });
  onSystem(system);
  let graceMs: number = STOP_GRACE_MS.failed;
  try {
    const started = await firstOf<{ kind: 'ready'; apiUrl: string; apiToken: string | undefined } | SessionEnd>([
      system.ready.then(
        (api) => ({ kind: 'ready', ...api }),
        (error: unknown) => ({ kind: 'failed', fault: toFault(error) }),
      ),
      ...endings(system, interrupts),
    ]);
    const outcome =
      started.kind === 'ready'
        ? await playOn(plan, {
            system,
            interrupts,
            screen,
            workspace,
            logs,
            onStage,
            collector: collectorClient(started.apiUrl, started.apiToken),
          })
        : nothingPlayed(plan, started);
    graceMs = STOP_GRACE_MS[outcome.end.kind];
    return { ...outcome, hasTold: logs.hasShown };
  } finally {
    logs.flush();
    screen.clear();
    await system.stop(graceMs);
  }
}

const isRealtime = ({ specs }: RunPlan): boolean => specs.some(({ mode }) => mode === 'realtime');

const nothingPlayed = ({ specs }: RunPlan, end: SessionEnd): Concluded => ({
  end,
  results: specs.map((spec) => ({ spec, progress: undefined, end: undefined, firstErrors: new Map() })),
  faults: [],
  written: false,
  annotations: new Map(),
});

type Stage = {
  readonly system: LocalSystem;
  readonly interrupts: Interrupts;
  readonly screen: Screen;
  readonly workspace: Workspace;
  readonly collector: CollectorClient;
  readonly logs: LogDisplay;
  readonly onStage: SessionOptions['onStage'];
};

async function playOn(plan: RunPlan, stage: Stage): Promise<Concluded> {
  const { system, collector, screen } = stage;
  const bus = await connectBus({ ...system.bus, name: 'stream-infer' });
  try {
    const mode = await liveMode(plan.output, isRealtime(plan));
    const live =
      mode === 'none' || plan.output.kind === 'none' ? undefined : await startLiveResults(plan.output, collector);
    const play = await playStreams(bus, { specs: plan.specs, resume: plan.resume, collector, onNotice: screen.line });
    const end = await playToEnd(play, plan, stage, live);
    await play.close();
    const lines = await live?.finish(play.ends.keys());
    return await conclude(end, play, plan, { ...stage, mode, lines });
  } finally {
    await close(bus);
  }
}

async function playToEnd(
  play: StreamPlay,
  plan: RunPlan,
  { system, interrupts, screen }: Stage,
  live: LiveResults | undefined,
): Promise<SessionEnd> {
  const stopProgress = showProgress(screen, plan.specs, play.progress);
  const end = await firstOf<SessionEnd>([
    play.complete.then(
      () => ({ kind: 'complete' }),
      (error: unknown) => ({ kind: 'failed', fault: toFault(error, 'STORE_FAILED') }),
    ),
    ...endings(system, interrupts),
    ...(live ? [live.failed.then(endOfOutput)] : []),
  ]);
  if (end.kind === 'interrupted') await settle(play, system);
  stopProgress();
  return end;
}

const endOfOutput = (why: Fault | 'unread'): SessionEnd =>
  why === 'unread' ? { kind: 'interrupted', signal: 'SIGPIPE' } : { kind: 'failed', fault: why };

/** Ends the streams and waits, not for ever, until what they gave is answered and stored. */
async function settle(play: StreamPlay, system: LocalSystem): Promise<void> {
  const limit = new AbortController();
  const settling = play.end();
  const timeLimit = wait(INTERRUPTED_LIMIT_MS, undefined, { signal: limit.signal });
  await firstOf<unknown>([settling, system.failed, timeLimit]).catch(() => undefined);
  limit.abort();
}

/** `lines`: what was written while streams played. */
type Ending = Stage & { readonly mode: LiveMode; readonly lines: LiveLines | undefined };

/** Writes and draws what there is, and gathers what to tell of it. */
async function conclude(end: SessionEnd, play: StreamPlay, plan: RunPlan, stage: Ending): Promise<Concluded> {
  const { collector, mode, lines } = stage;
  const faults: Fault[] = [];
  const attempt = async <T>(work: () => Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      // What an interrupt ends is no fault.
      if (!stage.interrupts.signal.aborted || !isAbort(error)) faults.push(toFault(error));
      return otherwise;
    }
  };
  const results: StreamResult[] = [];
  for (const spec of plan.specs) {
    const runEnd = play.ends.get(spec.id);
    const errors = await attempt(() => firstErrors(collector, runEnd, placeIn(spec, stage.logs)), new Map());
    results.push({ spec, progress: play.progress.get(spec.id), end: runEnd, firstErrors: errors });
  }
  const runs = results.map(({ spec, progress }) => ({ stream: spec.id, run: progress?.run }));
  // Where no stream gave a frame, nothing was computed, and what an earlier run wrote stays.
  const written =
    (lines !== undefined || results.some(hasPlayed)) &&
    (await attempt(() => writeResults(plan.output, { runs, collector, mode, live: lines }).then(() => true), false));
  const annotations = new Map<string, string>();
  const interrupted = end.kind === 'interrupted';
  const signal = drawingSignal(end, stage.interrupts);
  if (plan.annotations.size > 0) stage.onStage('drawing');
  if (end.kind !== 'failed')
    await attempt(() => drawAnnotations({ plan, results, annotations, ...stage, signal, interrupted }), undefined);
  stage.onStage('stopping');
  const interruptedLate = end.kind === 'complete' && stage.interrupts.signal.aborted;
  return {
    end: interruptedLate ? { kind: 'interrupted', signal: await stage.interrupts.first } : end,
    results,
    faults,
    written: written && plan.output.kind !== 'none',
    annotations,
  };
}

/** Ends the drawing. Who pressed Ctrl-C is there, and may press it again; whatever else ends a process does not wait for long. */
function drawingSignal(end: SessionEnd, interrupts: Interrupts): AbortSignal {
  if (end.kind !== 'interrupted') return interrupts.signal;
  return end.signal === 'SIGINT' ? new AbortController().signal : AbortSignal.timeout(DRAWING_LIMIT_MS);
}

/** Where the code of a stream's algorithm threw. */
const placeIn =
  ({ algorithms }: StreamSpec, logs: LogDisplay) =>
  (algorithm: string, code: FaultCode): string | undefined =>
    logs.placeOf(algorithms.find(({ name }) => name === algorithm)?.definition ?? algorithm, code);

const isAbort = (error: unknown): boolean =>
  error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError');

/** What may end a run from outside. */
const endings = (system: LocalSystem, interrupts: Interrupts): Promise<SessionEnd>[] => [
  system.failed.then((fault) => ({ kind: 'failed', fault })),
  interrupts.first.then((signal) => ({ kind: 'interrupted', signal })),
];

/** The first to resolve; a rejection that comes later is nobody's any more. */
function firstOf<T>(promises: readonly Promise<T>[]): Promise<T> {
  for (const promise of promises) promise.catch(() => undefined);
  return Promise.race(promises);
}

/** Where the server is gone, there is nothing to flush to. */
async function close(bus: Bus): Promise<void> {
  await bus.close().catch(() => undefined);
}
