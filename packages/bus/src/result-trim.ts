/**
 * Keeps RESULTS small: what every sink has acknowledged goes, all but the last message of each subject, which is the progress of
 * its stream and algorithm (EX-6, EX-7); of a run that nobody asks for any more these go too.
 */

import type { Bus } from './bus.ts';
import { directGet } from './direct-get.ts';
import { lastEnd, neededFromOf } from './result-stream.ts';

/** Removes all of the subject's messages before `sequence`; returns how many. */
export async function trimResults(bus: Bus, subject: string, sequence: number): Promise<number> {
  // The server takes 1 for no limit at all and removes every message of the subject, its last among them.
  if (sequence <= 1) return 0;
  const { purged } = await bus.manager.streams.purge(bus.topology.resultsStream, { filter: subject, seq: sequence });
  return purged;
}

/**
 * Up to which sequence every other sink has acknowledged; Infinity where the collector is the only one. A sink is a durable consumer
 * of RESULTS.
 */
export async function acknowledgedByOthers(bus: Bus): Promise<number> {
  const { resultsStream, collectorDurable } = bus.topology;
  let floor = Number.POSITIVE_INFINITY;
  for await (const { name, config, ack_floor } of bus.manager.consumers.list(resultsStream)) {
    if (config.durable_name !== undefined && name !== collectorDurable) floor = Math.min(floor, ack_floor.stream_seq);
  }
  return floor;
}

/** A run whose end stands in RESULTS. */
export type StandingRun = { readonly stream: string; readonly run: string };

export async function* endedRuns(bus: Bus): AsyncGenerator<StandingRun> {
  const { resultsStream, anyEnd, runOfEnd } = bus.topology;
  const { state } = await bus.manager.streams.info(resultsStream, { subjects_filter: anyEnd });
  for (const subject of Object.keys(state.subjects ?? {})) {
    const ended = runOfEnd(subject);
    if (ended) yield ended;
  }
}

/**
 * Removes what stands of a run: its results up to its end, then the end. How many messages went; undefined where every sink has yet to acknowledge the
 * end, `acknowledged` being up to where they have.
 */
export async function removeEndedRun(bus: Bus, ended: StandingRun, acknowledged: number): Promise<number | undefined> {
  const { anyResultOf, endSubject } = bus.topology;
  const { stream, run } = ended;
  const end = await lastEnd(bus, ended);
  if (end === undefined) return 0;
  if (end.sequence > acknowledged) return undefined;
  // The end last: whoever finds it finds what is left.
  const results = await trimResults(bus, anyResultOf(stream, run), end.sequence);
  return results + (await trimResults(bus, endSubject(stream, run), end.sequence + 1));
}

/** A subject with more than one message. */
export type UntrimmedSubject = {
  readonly subject: string;
  readonly lastSequence: number;
  /** Its messages from here on are needed by what comes after its algorithm. */
  readonly neededFrom?: number;
};

export async function* untrimmedSubjects(bus: Bus): AsyncGenerator<UntrimmedSubject> {
  const { resultsStream } = bus.topology;
  const { state } = await bus.manager.streams.info(resultsStream, { subjects_filter: '>' });
  for (const [subject, messages] of Object.entries(state.subjects ?? {})) {
    if (messages < 2) continue;
    const last = await directGet(bus, resultsStream, { last_by_subj: subject });
    if (last === undefined) continue;
    const neededFrom = neededFromOf(last.headers);
    yield { subject, lastSequence: last.sequence, ...(neededFrom !== undefined && { neededFrom }) };
  }
}
