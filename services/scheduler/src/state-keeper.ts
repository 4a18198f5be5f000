/**
 * What one algorithm with memory remembers of one stream, seen from the scheduler: which runner has it, what that one is sent, and the
 * newest snapshot in its bucket. What is decided is decided by StateTurns; this moves it (EX-9).
 *
 * Invariant: a snapshot is stored behind the result of its window, so that no successor begins ahead of what is published.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Snapshots } from '@stream-infer/bus/snapshots';
import { type Fault, toFault } from '@stream-infer/core/fault';
import type { ResultRecord } from '@stream-infer/core/result-record';
import type { Trigger } from '@stream-infer/core/schedule';
import type { Snapshot, StateTurns, Turn } from '@stream-infer/core/state-turns';
import type { Invocation } from '@stream-infer/proto/stream_infer/v1/invocation';
import { answerOf } from './answer.ts';
import type { BufferedFrame } from './invocation-message.ts';
import type { Carrier, WorkOutcome } from './work.ts';

export type StateKeeperOptions = {
  readonly turns: StateTurns<BufferedFrame, Carrier>;
  readonly snapshots: Snapshots;
  readonly place: Pick<ResultRecord, 'stream' | 'run' | 'algorithm'>;
  /** n of the last result that a predecessor published. */
  readonly publishedThrough: number;
  /** Gives up storing. */
  readonly signal: AbortSignal;
  readonly events: StateKeeperEvents;
};

export type StateKeeperEvents = {
  /** A window was run again. */
  replayed(): void;
  /** A snapshot was stored. */
  stored(): void;
  /** A snapshot could not be stored; it is tried again. */
  notStored(fault: Fault): void;
  /** A snapshot is stored: frames may have become free. */
  changed(): void;
};

/** The runner did not get so far as to run the window. */
const NOT_RUN: ReadonlySet<string> = new Set(['FRAME_GONE', 'FRAME_MISMATCH', 'BUS_FAILED']);

const RETRY_MS = 250;

export class StateKeeper {
  readonly #options: StateKeeperOptions;
  #publishedThrough: number;
  #stored: number;
  #storing = false;

  constructor(options: StateKeeperOptions) {
    this.#options = options;
    this.#publishedThrough = options.publishedThrough;
    this.#stored = options.turns.newest?.n ?? 0;
  }

  /** The runner that has the instance; undefined where none has any more. */
  get home(): Carrier | undefined {
    const { turns } = this.#options;
    if (turns.home && !turns.home.isOpen) turns.lost();
    return turns.home;
  }

  /** Whether something is to be run again, though nothing is due. */
  get replays(): boolean {
    return this.#options.turns.replays;
  }

  /** Offline: whether nothing but the whole stream, played again, brings back what was remembered. */
  get needsRewind(): boolean {
    return this.home === undefined && this.#options.turns.needsRewind;
  }

  /** Whether that would bring it back. */
  get canBePlayedAgain(): boolean {
    return this.#options.turns.canBePlayedAgain;
  }

  /** This window is not to be run again. */
  skip(window: Trigger<BufferedFrame>): void {
    this.#options.turns.skip(window);
  }

  turn(carrier: Carrier): Turn<BufferedFrame> {
    return this.#options.turns.turn(carrier, performance.now());
  }

  /** What became of a window that was sent with this turn. */
  settled(window: Trigger<BufferedFrame>, turn: Turn<BufferedFrame>, outcome: WorkOutcome): void {
    const { turns } = this.#options;
    if (outcome.kind === 'unsent') return;
    if (outcome.kind !== 'answered') {
      turns.lost();
      return;
    }
    const answer = answerOf(outcome.result);
    if (answer.kind === 'not-started') {
      if (answer.fault.code === 'STATE_LOST') turns.missing();
    } else if (answer.kind === 'data' || !NOT_RUN.has(answer.fault.code)) {
      turns.ran(window, turn, outcome.result.snapshot, answer.kind === 'error', performance.now());
      if (turn.replay) this.#options.events.replayed();
      void this.#store();
    } else if (turn.replay) turns.lost();
  }

  /** The result of window n is published. */
  published(n: number): void {
    this.#publishedThrough = Math.max(this.#publishedThrough, n);
    void this.#store();
  }

  /** The instance is wanted no more. Idempotent: a later epoch may have one under the same name by then. */
  close(definition: string): void {
    this.home?.forget(definition, this.#options.place);
    this.#options.turns.lost();
  }

  get #due(): Snapshot | undefined {
    const { newest } = this.#options.turns;
    return newest && newest.n > this.#stored && newest.n <= this.#publishedThrough ? newest : undefined;
  }

  async #store(): Promise<void> {
    const { snapshots, place, signal, turns, events } = this.#options;
    if (this.#storing) return;
    this.#storing = true;
    for (let due = this.#due; due && !signal.aborted; due = this.#due) {
      try {
        await snapshots.put(place, due);
        this.#stored = due.n;
        turns.stored(due.n);
        events.stored();
        events.changed();
      } catch (error) {
        events.notStored(toFault(error, 'BUS_FAILED', `the snapshot of ${place.algorithm} is not stored yet`));
        await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
    this.#storing = false;
  }
}

/** As it travels. */
export const turnMessage = ({ afterN, begin, snapshot, takeSnapshot }: Turn<BufferedFrame>): Invocation['state'] => ({
  afterN,
  begin,
  snapshot: snapshot && Buffer.from(snapshot.buffer, snapshot.byteOffset, snapshot.byteLength),
  takeSnapshot,
});
