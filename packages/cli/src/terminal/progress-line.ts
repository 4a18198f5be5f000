/** The progress of a run in video time, as one line of a terminal: how far, how fast, how long still. */

import { formatDuration, formatPosition } from './duration.ts';

/** How far one source has played. */
export type SourceProgress = {
  readonly positionSeconds: number;
  /** Null where it is not known, or live. */
  readonly durationSeconds: number | null;
  readonly isOver: boolean;
  /** That its algorithms have given so far. */
  readonly results?: number;
  /** What a live source is doing, such as `playing`; undefined where it is none. */
  readonly camera?: string | undefined;
};

export type ProgressLineOptions = {
  /** Names the run: the stream, or how many there are. */
  readonly label: string;
  readonly elapsedSeconds: number;
  /** Columns of the terminal; undefined where the line is to stay, whole and without a bar. */
  readonly width: number | undefined;
};

const BAR_WIDTH = 30;
const LEAST_BAR_WIDTH = 8;
/** For the text beside the bar, so that the bar keeps its width as figures grow. */
const TEXT_WIDTH = 48;

/**
 * `lobby  ███████░░░  0:07 of 0:30  4.2 × realtime  6 s left`; without the bar where a length is not known. With a camera, which takes
 * the time that it takes, `gate  playing  0:07  12 results`.
 */
export function progressLine(sources: readonly SourceProgress[], options: ProgressLineOptions): string {
  const { label, elapsedSeconds, width } = options;
  const position = sum(sources.map(({ positionSeconds }) => positionSeconds));
  const duration = sources.every(({ durationSeconds }) => durationSeconds !== null)
    ? sum(sources.map(({ durationSeconds }) => durationSeconds ?? 0))
    : undefined;
  const rate = elapsedSeconds > 0 ? position / elapsedSeconds : 0;
  const done = sources.filter(({ isOver }) => isOver).length;
  const name = sources.length > 1 ? `${label}, ${done} done` : label;
  if (sources.some(({ camera }) => camera !== undefined))
    return cutShort(
      `${name}  ${camerasText(sources)}  ${formatPosition(elapsedSeconds)}  ${resultsText(sources)}`,
      width,
    );
  const speed = `${rate.toFixed(1)} × realtime`;
  if (duration === undefined || duration <= 0) return cutShort(`${name}  ${formatPosition(position)}  ${speed}`, width);
  const share = Math.min(1, position / duration);
  const left = rate > 0 ? `${formatDuration(Math.max(0, duration - position) / rate)} left` : '';
  const text = `${formatPosition(position)} of ${formatPosition(duration)}  ${speed}  ${left}`.trimEnd();
  const room = width === undefined ? 0 : Math.min(BAR_WIDTH, width - name.length - TEXT_WIDTH);
  return cutShort(room < LEAST_BAR_WIDTH ? `${name}  ${text}` : `${name}  ${bar(share, room)}  ${text}`, width);
}

/** `opening gate …  0:04`. */
export const openingLine = (label: string, elapsedSeconds: number): string =>
  `opening ${label} …  ${formatPosition(elapsedSeconds)}`;

/** `playing`; of several `2 playing, 1 reconnecting`. */
function camerasText(sources: readonly SourceProgress[]): string {
  const states = sources.flatMap(({ camera, isOver }) => (camera === undefined || isOver ? [] : camera));
  if (sources.length === 1) return states[0] ?? 'ended';
  return [...new Set(states)].map((state) => `${states.filter((other) => other === state).length} ${state}`).join(', ');
}

function resultsText(sources: readonly SourceProgress[]): string {
  const results = sum(sources.map(({ results: some = 0 }) => some));
  return `${results} result${results === 1 ? '' : 's'}`;
}

const bar = (share: number, width: number): string => {
  const full = Math.round(share * width);
  return '█'.repeat(full) + '░'.repeat(width - full);
};

/** A line that reached the last column would wrap. */
const cutShort = (line: string, width = Number.POSITIVE_INFINITY): string =>
  line.length < width ? line : line.slice(0, Math.max(0, width - 1));

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
