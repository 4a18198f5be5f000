/**
 * What services tell each other without a promise of delivery: each message is the newest state, so a lost one is made good
 * by the next.
 */

import type { FaultJson } from '@stream-infer/core/fault';
import type { AlgorithmTotals } from '@stream-infer/core/result-record';
import type { SourceCondition } from '@stream-infer/core/source-state';
import type { Msg } from 'nats';
import { isLaneStatus, isReleased, isRewind, isSourceStatus } from './announcement-values.ts';
import type { Bus } from './bus.ts';

/** The scheduler needs no frame of this epoch with a sequence up to `through` any more; they are purged (EX-2). */
export type Released = { readonly run: string; readonly epoch: number; readonly through: number };

/**
 * Frames of this epoch are gone, so that windows that are due offline cannot be filled: its ingest opens the next epoch (EX-4). Said again until
 * it does.
 */
export type Rewind = { readonly run: string; readonly epoch: number };

/** How a source is and how far it has played. */
export type SourceStatus = {
  readonly stream: string;
  readonly run: string;
  readonly condition: SourceCondition;
  /** What it is lost by, or failed by, without credentials. Null while it plays, and where only the reason is known; ingests of older versions leave it out. */
  readonly fault?: FaultJson | null;
  /** Until a lost source is opened again: 0 while it is. Null where it is not lost, or not opened again; older ingests leave it out. */
  readonly retryInMs?: number | null;
  /** Decoded frames a second, over the last seconds. */
  readonly framesPerSecond: number;
  /** Since the newest decoded frame; null before the first. */
  readonly lastFrameAgeMs: number | null;
  readonly decoded: number;
  readonly published: number;
  /** Presentation time of the newest decoded frame since the first, in seconds. */
  readonly positionSeconds: number;
  readonly durationSeconds: number | null;
};

/** How one algorithm of a run is getting on; the totals are those of its ledger. */
export type AlgorithmStatus = AlgorithmTotals & {
  /** Since its newest result was published; null before the first that this scheduler published. */
  readonly lastResultAgeMs: number | null;
  /** How late that one was; null offline and before the first. */
  readonly lateMs: number | null;
  /** Of the newest result that is one, without credentials; null before the first that this scheduler published. Schedulers of older versions leave it out. */
  readonly lastError?: FaultJson | null;
};

/** How the algorithms of one run are getting on, by name. */
export type LaneStatus = {
  readonly stream: string;
  readonly run: string;
  readonly algorithms: Readonly<Record<string, AlgorithmStatus>>;
};

export const announceReleased = (bus: Bus, stream: string, released: Released): void =>
  announce(bus, bus.topology.releasedSubject(stream), released);

export const announceStatus = (bus: Bus, status: SourceStatus): void =>
  announce(bus, bus.topology.statusSubject(status.stream), status);

export const announceRewind = (bus: Bus, stream: string, rewind: Rewind): void =>
  announce(bus, bus.topology.rewindSubject(stream), rewind);

export const announceLanes = (bus: Bus, status: LaneStatus): void =>
  announce(bus, bus.topology.lanesSubject(status.stream), status);

/** Calls back for every announcement until the returned function is called. */
export const onReleased = (bus: Bus, stream: string, listener: (released: Released) => void): (() => void) =>
  listen(bus, bus.topology.releasedSubject(stream), isReleased, listener);

export const onRewind = (bus: Bus, stream: string, listener: (rewind: Rewind) => void): (() => void) =>
  listen(bus, bus.topology.rewindSubject(stream), isRewind, listener);

/** `stream` may be `*` for all. */
export const onStatus = (bus: Bus, stream: string, listener: (status: SourceStatus) => void): (() => void) =>
  listen(bus, bus.topology.statusSubject(stream), isSourceStatus, listener);

/** `stream` may be `*` for all. */
export const onLanes = (bus: Bus, stream: string, listener: (status: LaneStatus) => void): (() => void) =>
  listen(bus, bus.topology.lanesSubject(stream), isLaneStatus, listener);

function announce(bus: Bus, subject: string, value: unknown): void {
  if (!bus.connection.isClosed()) bus.connection.publish(subject, JSON.stringify(value));
}

function listen<T>(
  bus: Bus,
  subject: string,
  accepts: (value: unknown, stream: string) => boolean,
  listener: (value: T) => void,
): () => void {
  const subscription = bus.connection.subscribe(subject, {
    callback: (error: Error | null, message: Msg) => {
      if (error) return;
      const value = announced(message);
      if (accepts(value, message.subject.split('.').at(-1) ?? '')) listener(value as T);
      else bus.protocolBroken(`what came on ${message.subject} is no such announcement`);
    },
  });
  return () => subscription.unsubscribe();
}

/** Undefined for what is no JSON: anybody may publish here, and what is thrown in a callback would end the connection's reader. */
function announced(message: Msg): unknown {
  try {
    return message.json<unknown>();
  } catch {
    return undefined;
  }
}
