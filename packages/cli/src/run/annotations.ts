/** Draws the annotated videos of a run that is over, one after the other. */

import { annotate } from '../annotate/annotate.ts';
import type { Workspace } from '../system/workspace.ts';
import { progressLine } from '../terminal/progress-line.ts';
import type { Screen } from '../terminal/screen.ts';
import type { CollectorClient } from './collector-client.ts';
import type { RunPlan } from './run-plan.ts';
import { type StreamResult, videoSeconds } from './run-result.ts';

export type AnnotationsOptions = {
  readonly plan: RunPlan;
  readonly results: readonly StreamResult[];
  readonly collector: CollectorClient;
  readonly workspace: Workspace;
  readonly screen: Screen;
  readonly signal: AbortSignal;
  /** Whether the sources were stopped on demand: what is drawn ends where they did. */
  readonly interrupted: boolean;
  /** Each video is put in here once it is there: stream id → path. */
  readonly annotations: Map<string, string>;
};

const REFRESH_MS = 100;

/** Streams that could not be played have no video. Throws what `annotate` throws. */
export async function drawAnnotations(options: AnnotationsOptions): Promise<void> {
  const { plan, results, collector, workspace, screen, signal, interrupted, annotations } = options;
  for (const result of results) {
    const { spec, progress } = result;
    const path = plan.annotations.get(spec.id);
    if (path === undefined || spec.source === undefined || !progress?.playing) continue;
    if (interrupted && !(result.end && result.end.decoded > 0)) continue;
    const { source: facts } = progress.playing;
    const { found, problems } = await annotate(
      {
        source: spec.source,
        facts,
        videoStream: spec.videoStream,
        fromFirstResult: spec.position !== '0',
        before: interrupted ? result.end?.decoded : undefined,
        algorithms: spec.algorithms,
        records: collector.records({ stream: spec.id, run: progress.run }),
        path,
      },
      {
        ffmpegPath: plan.configuration.ingest?.ffmpegPath ?? 'ffmpeg',
        workspace,
        signal,
        onFrame: frameProgress(result, screen, interrupted),
      },
    );
    annotations.set(spec.id, path);
    for (const problem of problems) screen.line(`warning: stream ${spec.id}, ${problem}`);
    if (!found && problems.length === 0)
      screen.line(`stream ${spec.id}: no result has boxes, so nothing is drawn on ${path}`);
  }
  screen.clear();
}

function frameProgress(result: StreamResult, screen: Screen, interrupted: boolean): (sourceIndex: number) => void {
  const decoded = result.end?.decoded ?? 0;
  const durationSeconds = videoSeconds(result) ?? null;
  const startedAtMs = performance.now();
  let drawnAtMs = Number.NEGATIVE_INFINITY;
  return (sourceIndex) => {
    const nowMs = performance.now();
    if (nowMs - drawnAtMs < REFRESH_MS) return;
    drawnAtMs = nowMs;
    const positionSeconds = decoded > 0 ? ((sourceIndex + 1) / decoded) * (durationSeconds ?? 0) : 0;
    screen.progress(
      progressLine([{ positionSeconds, durationSeconds, isOver: false }], {
        label: `drawing ${result.spec.id}${interrupted ? ' up to there (Ctrl-C leaves it out)' : ''}`,
        elapsedSeconds: (nowMs - startedAtMs) / 1000,
        width: screen.width,
      }),
    );
  };
}
