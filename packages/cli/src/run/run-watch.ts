/**
 * What the bus tells while streams play: which runs have begun and ended, and how far each source is. The results themselves, and
 * that a run is complete, are the collector's to tell.
 */

import { onLanes, onStatus, type SourceStatus } from '@stream-infer/bus/announcements';
import type { Bus } from '@stream-infer/bus/bus';
import { openRuns } from '@stream-infer/bus/registry';
import type { FaultJson } from '@stream-infer/core/fault';
import type { Run, RunState } from '@stream-infer/core/run';

type Playing = Extract<RunState, { kind: 'playing' }>;

/** What is known of one stream's run. */
export type RunProgress = {
  readonly run: string;
  /** Once the source is probed. */
  readonly playing: Playing | undefined;
  readonly status: SourceStatus | undefined;
  /** Of all algorithms so far, as the scheduler told last; those that are errors are none. */
  readonly results: number;
  /** The source has ended, or could not be played. */
  readonly isOver: boolean;
  /** It was ended on demand, and not where the source ends. */
  readonly isCut: boolean;
  readonly fault: FaultJson | undefined;
};

export type RunWatch = {
  /** By stream id, in the order of the streams. */
  readonly progress: ReadonlyMap<string, RunProgress>;
  close(): Promise<void>;
};

export type RunWatchListener = {
  /** A run plays: what was decided for it. */
  onPlaying?(stream: string, state: Playing): void;
  /** A run's source has ended or failed. */
  onOver(stream: string): void;
  /** Nothing more is told: the bus cannot be watched. */
  onFailed(error: unknown): void;
};

/** Watches the newest run of each of these streams. */
export async function watchRuns(bus: Bus, streams: readonly string[], listener: RunWatchListener): Promise<RunWatch> {
  const progress = new Map<string, RunProgress>();
  const runs = await openRuns(bus);
  const stopping = new AbortController();
  const told = ({ stream, run }: Pick<SourceStatus, 'stream' | 'run'>, news: Partial<RunProgress>): void => {
    const known = progress.get(stream);
    if (known?.run === run) progress.set(stream, { ...known, ...news });
  };
  const unsubscribes = [
    onStatus(bus, '*', (status) => told(status, { status })),
    onLanes(bus, '*', (lanes) => {
      const completed = Object.values(lanes.algorithms).map((algorithm) => algorithm.completed);
      told(lanes, { results: completed.reduce((sum, some) => sum + some, 0) });
    }),
  ];
  const watching = (async () => {
    for await (const change of runs.watch(stopping.signal)) {
      if (change.kind !== 'put' || !streams.includes(change.key)) continue;
      const before = progress.get(change.key);
      const now = follow(before, change.value);
      progress.set(change.key, now);
      if (now.playing && !before?.playing) listener.onPlaying?.(change.key, now.playing);
      if (now.isOver && !before?.isOver) listener.onOver(change.key);
    }
  })().catch(listener.onFailed);
  return {
    progress,
    async close() {
      for (const unsubscribe of unsubscribes) unsubscribe();
      stopping.abort();
      await watching;
    },
  };
}

const NOTHING: Omit<RunProgress, 'run'> = {
  playing: undefined,
  status: undefined,
  results: 0,
  isOver: false,
  isCut: false,
  fault: undefined,
};

/** What a change of the run adds to what was known; of another run nothing was. */
export function follow(before: RunProgress | undefined, { run, state }: Run): RunProgress {
  const known = before?.run === run ? before : { ...NOTHING, run };
  switch (state.kind) {
    case 'claimed':
      return known;
    case 'playing':
      return { ...known, playing: state };
    case 'ended':
      return { ...known, isOver: true, isCut: state.removed === true };
    case 'failed':
      return { ...known, isOver: true, fault: state.fault };
  }
}
