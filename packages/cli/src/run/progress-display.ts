/** Keeps the progress line of a run up to date while it plays. */

import type { StreamSpec } from '@stream-infer/core/stream-spec';
import { progressLine } from '../terminal/progress-line.ts';
import type { Screen } from '../terminal/screen.ts';
import type { RunProgress } from './run-watch.ts';

const REFRESH_MS = 100;

/** Shows it until the returned function is called. */
export function showProgress(
  screen: Screen,
  specs: readonly StreamSpec[],
  progress: ReadonlyMap<string, RunProgress>,
): () => void {
  if (!screen.isTerminal) return () => undefined;
  const [only] = specs;
  const label = specs.length === 1 && only ? only.id : `${specs.length} streams`;
  let startedAtMs: number | undefined;
  const draw = (): void => {
    if (progress.size > 0) startedAtMs ??= performance.now();
    const sources = specs.map(({ id }) => {
      const { status, playing, isOver = false } = progress.get(id) ?? {};
      const durationSeconds = status?.durationSeconds ?? playing?.source.durationSeconds ?? null;
      // The last status may have come before the end.
      const positionSeconds = isOver ? (durationSeconds ?? status?.positionSeconds) : status?.positionSeconds;
      return { positionSeconds: positionSeconds ?? 0, durationSeconds, isOver };
    });
    const elapsedSeconds = startedAtMs === undefined ? 0 : (performance.now() - startedAtMs) / 1000;
    screen.progress(progressLine(sources, { label, elapsedSeconds, width: screen.width }));
  };
  const timer = setInterval(draw, REFRESH_MS);
  return () => {
    clearInterval(timer);
    screen.clear();
  };
}
