/** What became of one stream of a run, once it is over. */

import type { FaultJson } from '@stream-infer/core/fault';
import { parseRational, toNumber } from '@stream-infer/core/rational';
import type { RunEnd } from '@stream-infer/core/result-record';
import type { StreamSpec } from '@stream-infer/core/stream-spec';
import type { RunProgress } from './run-watch.ts';

/** The first invocation of an algorithm that failed. */
export type FirstError = {
  readonly key: string;
  readonly error: FaultJson;
  /** `file:line:column` of its author's, where one threw. */
  readonly place?: string;
};

export type StreamResult = {
  readonly spec: StreamSpec;
  /** Undefined where no ingest took the stream before the run ended. */
  readonly progress: RunProgress | undefined;
  /** Undefined where the run did not come to its end. */
  readonly end: RunEnd | undefined;
  /** By algorithm. */
  readonly firstErrors: ReadonlyMap<string, FirstError>;
};

/** Seconds of the source that were decoded; undefined where nothing is known of it. */
export function videoSeconds({ progress, end }: Pick<StreamResult, 'progress' | 'end'>): number | undefined {
  const fps = progress?.playing && parseRational(progress.playing.source.fps);
  return fps && end ? end.decoded / toNumber(fps) : undefined;
}

/** Whether a frame of it was decoded. */
export const hasPlayed = ({ progress, end }: StreamResult): boolean =>
  (end?.decoded ?? progress?.status?.decoded ?? 0) > 0;
