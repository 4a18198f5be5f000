/** Tells the progress of a run while it plays: as a line of a terminal that is drawn over, elsewhere as a line now and then. */

import type { StreamSpec } from '@stream-infer/core/stream-spec';
import { openingLine, progressLine, type SourceProgress } from '../terminal/progress-line.ts';
import type { Screen } from '../terminal/screen.ts';
import type { RunProgress } from './run-watch.ts';

const REFRESH_MS = 100;
/** Where lines stay, the first comes after so long, and each further one after twice as long, up to a limit: a log is to stay short. */
const FIRST_LINE_MS = 60_000;
const LONGEST_PAUSE_MS = 600_000;

/** Tells it until the returned function is called. */
export function showProgress(
  screen: Screen,
  specs: readonly StreamSpec[],
  progress: ReadonlyMap<string, RunProgress>,
): () => void {
  const [only] = specs;
  const label = specs.length === 1 && only ? only.id : `${specs.length} streams`;
  let startedAtMs: number | undefined;
  const elapsedMs = (): number => {
    if (progress.size > 0) startedAtMs ??= performance.now();
    return startedAtMs === undefined ? 0 : performance.now() - startedAtMs;
  };
  const openingSinceMs = performance.now();
  const line = (): string => {
    if (specs.every(({ id }) => isOpening(progress.get(id))))
      return openingLine(label, (performance.now() - openingSinceMs) / 1_000);
    const sources = specs.map(({ id }) => sourceProgress(progress.get(id)));
    const { width, isTerminal } = screen;
    return progressLine(sources, { label, elapsedSeconds: elapsedMs() / 1_000, width: isTerminal ? width : undefined });
  };
  let nextLineMs = FIRST_LINE_MS;
  const tell = (): void => {
    const nowMs = elapsedMs();
    if (nowMs < nextLineMs) return;
    nextLineMs = nowMs + Math.min(nowMs, LONGEST_PAUSE_MS);
    screen.line(line());
  };
  const timer = setInterval(() => (screen.isTerminal ? screen.progress(line()) : tell()), REFRESH_MS);
  return () => {
    clearInterval(timer);
    screen.clear();
  };
}

/** Before anything of it is known: of a camera, until its first pictures can be decoded, which takes seconds. */
function isOpening({ status, playing, isOver = false }: Partial<RunProgress> = {}): boolean {
  return !isOver && playing === undefined && (status?.decoded ?? 0) === 0;
}

function sourceProgress(run: RunProgress | undefined): SourceProgress {
  const { status, playing, isOver = false, isCut = false, results = 0 } = run ?? {};
  const durationSeconds = status?.durationSeconds ?? playing?.source.durationSeconds ?? null;
  // The last status may have come before the end.
  const isWhole = isOver && !isCut;
  const positionSeconds = (isWhole ? durationSeconds : null) ?? status?.positionSeconds ?? 0;
  const camera = playing?.source.live ? (status?.condition.state ?? 'connecting') : undefined;
  return { positionSeconds, durationSeconds, isOver, results, camera };
}
