/**
 * Replays dead letters on the system that wrote them: the source is played again, offline, by a stream that is there for that alone, and the
 * scheduler invokes the windows of the letters and no others. A letter whose window succeeds is removed; the store keeps the success.
 */

import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Bus } from '@stream-infer/bus/bus';
import { deleteDeadLetter, type StoredLetter } from '@stream-infer/bus/dead-letters';
import { openRuns, openStreams } from '@stream-infer/bus/registry';
import { forgetReplay, isReplayed, replayEnd, replayFailure } from '@stream-infer/bus/replays';
import type { DeadLetter } from '@stream-infer/core/dead-letter';
import { Fault, type FaultJson, faultJson } from '@stream-infer/core/fault';
import type { RunEnd } from '@stream-infer/core/result-record';
import type { StreamSpec } from '@stream-infer/core/stream-spec';
import { specHash } from '@stream-infer/service-kit/spec-hash';

/** What became of a letter; without a fault it was mended. */
export type Replayed = { readonly id: number; readonly letter: DeadLetter; readonly fault?: FaultJson };

const POLL_MS = 100;

/** Letters that one replay can mend: those of one run and algorithm. */
export function replayGroups(letters: readonly StoredLetter[]): StoredLetter[][] {
  const groups = Map.groupBy(letters, ({ letter: { stream, run, algorithm } }) => `${stream}/${run}/${algorithm}`);
  return [...groups.values()];
}

/** The stream that plays again what one algorithm of `spec` failed on. */
export function replaySpec(spec: StreamSpec, letters: readonly StoredLetter[], id: string): StreamSpec {
  const [first] = letters;
  if (first === undefined) throw new Fault('INTERNAL', 'a replay of no letter');
  const { stream, run, algorithm } = first.letter;
  const ns = [...new Set(letters.map(({ letter: { n } }) => n))].sort((a, b) => a - b);
  const algorithms = spec.algorithms.filter(({ name }) => name === algorithm);
  return { ...spec, id, algorithms, replay: { stream, run, ns } };
}

export type ReplayOptions = {
  /** What it aborts is cleared away. */
  readonly signal: AbortSignal;
  /** Letters that cannot be replayed are told of and passed over. */
  readonly passOver: boolean;
};

/** Throws REPLAY_IMPOSSIBLE where frames cannot be had again and that is not passed over: then nothing is played. */
export async function replay(
  bus: Bus,
  letters: readonly StoredLetter[],
  { signal, passOver }: ReplayOptions,
): Promise<Replayed[]> {
  const planned = await Promise.all(
    replayGroups(letters).map(async (group) => {
      const found = await specOf(bus, group).catch((error: unknown) => {
        if (passOver && error instanceof Fault) return error;
        throw error;
      });
      return { group, found };
    }),
  );
  const replayed: Replayed[] = [];
  for (const { group, found } of planned) {
    if (found instanceof Fault) replayed.push(...group.map((stored) => ({ ...stored, fault: faultJson(found) })));
    else replayed.push(...(await replayGroup(bus, found, group, signal)));
  }
  return replayed;
}

/** The spec that the run had: its own where it is the stream's newest, or else the stream's, where both play the same windows. */
async function specOf(bus: Bus, [first]: readonly StoredLetter[]): Promise<StreamSpec> {
  if (first === undefined) throw new Fault('INTERNAL', 'a replay of no letter');
  const { id, letter } = first;
  const { stream, run, mode, specHash: hash } = letter;
  const refuse = (why: string): Fault => new Fault('REPLAY_IMPOSSIBLE', `dead letter ${id} cannot be replayed: ${why}`);
  if (mode === 'realtime') throw refuse(`stream ${stream} is played in realtime, and its frames are gone`);
  const [streams, runs] = await Promise.all([openStreams(bus), openRuns(bus)]);
  const [registered, newest] = await Promise.all([streams.get(stream), runs.get(stream)]);
  const candidates = [registered?.value, newest?.value.run === run ? newest.value.spec : undefined];
  const spec = candidates.find((candidate) => candidate !== undefined && specHash(candidate) === hash);
  const after = spec?.algorithms.find(({ name }) => name === letter.algorithm)?.after;
  if (after) throw refuse(`${letter.algorithm} comes after ${after.join(' and ')}: run stream ${stream} again`);
  if (spec) return spec;
  throw refuse(`stream ${stream} is gone or plays otherwise now: register it again as it was`);
}

async function replayGroup(
  bus: Bus,
  spec: StreamSpec,
  group: readonly StoredLetter[],
  signal: AbortSignal,
): Promise<Replayed[]> {
  const [streams, runs] = await Promise.all([openStreams(bus), openRuns(bus)]);
  const id = `replay-${randomBytes(6).toString('hex')}`;
  await streams.put(id, replaySpec(spec, group, id));
  try {
    const end = await untilOver(bus, id, signal);
    return await Promise.all(group.map((stored) => outcomeOf(bus, id, stored, end)));
  } finally {
    await streams.delete(id);
    await runs.delete(id);
    await forgetReplay(bus, id);
  }
}

async function untilOver(bus: Bus, id: string, signal: AbortSignal): Promise<RunEnd> {
  for (;;) {
    const end = await replayEnd(bus, id);
    if (end) return end;
    await wait(POLL_MS, undefined, { signal });
  }
}

async function outcomeOf(bus: Bus, replayId: string, { id, letter }: StoredLetter, end: RunEnd): Promise<Replayed> {
  if (await isReplayed(bus, letter)) {
    await deleteDeadLetter(bus, id);
    return { id, letter };
  }
  const failure = await replayFailure(bus, replayId, letter.n);
  const unexplained: FaultJson = { code: 'SOURCE_LOST', message: 'the source did not come to that window again' };
  return { id, letter, fault: failure?.error ?? end.fault ?? unexplained };
}
