/** The recorded cases of the original as streams of the registry, and results as the calls that they tell of. */

import { join } from 'node:path';
import type { ResultRecord } from '@stream-infer/core/result-record';
import type { StreamSpec } from '@stream-infer/core/stream-spec';
import given from '../conformance/given.json' with { type: 'json' };
import { streamSpec } from './decoded-source.ts';
import { root } from './programs.ts';

export type RecordedCase = (typeof given)[number];
/** The original's position, whole seconds, and the source numbers of the frames that it handed over. */
export type RecordedCall = { readonly position: number; readonly frames: readonly number[] };

/** All that can run: the one other is to be refused. */
export const recordedCases = given.filter(({ name }) => name !== 'buffer-too-small-never-runs');

/** @param definition runs in the place of each of its algorithms, and answers `{read}`, the numbers in its frames. */
export const recordedSpec = (one: RecordedCase, id: string, definition: string): StreamSpec =>
  streamSpec(join(root, 'test', 'conformance', 'videos', one.video), {
    id,
    fps: String(one.fps),
    position: String(one.position),
    buffer: one.buffer,
    algorithms: one.algos.map(({ name, frame_count, frame_step, interval }) => ({
      name,
      definition,
      frameCount: frame_count,
      frameStep: frame_step,
      interval: String(interval),
      timeoutMs: 10_000,
      maxInFlight: 8,
      maxAttempts: 3,
    })),
  });

export const callsOf = (records: readonly ResultRecord[]): RecordedCall[] =>
  records.map(({ key, data }) => ({
    position: Math.floor(Number(key)),
    frames: (data as { read: number[] } | undefined)?.read ?? [],
  }));
