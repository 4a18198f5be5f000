/**
 * Which streams this ingest plays: its share of the registry's (D11). Each stream is looked after on its own, one step at a time, so that
 * a slow one delays no other (I6).
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { onRewind, type Rewind } from '@stream-infer/bus/announcements';
import type { Bucket, Entry } from '@stream-infer/bus/bucket';
import type { Membership } from '@stream-infer/bus/membership';
import type { HeldRun } from '@stream-infer/bus/registry';
import { hasRunEnded } from '@stream-infer/bus/result-stream';
import { type Assignable, assignmentOf, OrphanTimes } from '@stream-infer/core/assignment';
import { toFault } from '@stream-infer/core/fault';
import type { Run } from '@stream-infer/core/run';
import type { StreamSpec } from '@stream-infer/core/stream-spec';
import { FILL_LIMIT_MS } from './epoch-takeover.ts';
import type { PlayingContext } from './playing-context.ts';
import { isOver, isPlayable, NOBODY, RunClaim } from './run-claim.ts';
import { RunClearance } from './run-clearance.ts';
import { StreamPlaying } from './stream-playing.ts';

export type RosterOptions = {
  readonly context: PlayingContext;
  readonly streams: Bucket<StreamSpec>;
  readonly runs: Bucket<Run>;
  readonly membership: Membership;
};

const RETRY_MS = 1_000;
const LOOK_MS = 500;
const CLEAR_MS = 1_000;
/** How long a run of an older spec may take to be answered to its end before the next one takes its place in the registry. */
const ENDING_MS = 5_000;
/** Beyond the time after which a decoder without frames is ended. */
const STANDSTILL_MS = 60_000;

export class StreamRoster {
  readonly #options: RosterOptions;
  /** Nothing more is taken. */
  readonly #stop = new AbortController();
  /** All that was played is left: until then it is heard of who takes what is offered. */
  readonly #left = new AbortController();
  readonly #specs = new Map<string, Entry<StreamSpec>>();
  readonly #runs = new Map<string, Entry<Run>>();
  readonly #playing = new Map<string, StreamPlaying>();
  /** Streams being looked after, and whether something changed meanwhile. */
  readonly #busy = new Map<string, { again: boolean; done: Promise<void> }>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #orphans = new OrphanTimes();
  readonly #clearance: RunClearance;
  /** Streams that this ingest is to take. */
  #toTake: ReadonlySet<string> = new Set();
  /** Runs that have ended and whose frames are asked for again: stream → run and epoch. */
  readonly #rewound = new Map<string, Rewind>();
  #watching: Promise<unknown> = Promise.resolve();
  #looking: NodeJS.Immediate | undefined;
  /** Buckets whose standing entries have all been told. */
  #current = 0;

  constructor(options: RosterOptions) {
    this.#options = options;
    const { context, streams, runs } = options;
    this.#clearance = new RunClearance({
      bus: context.bus,
      streams,
      runs,
      report: (fault) => context.report(fault, {}),
    });
  }

  /** Whether all that stood in the registry at the start has been seen. */
  get isCurrent(): boolean {
    return this.#current === 2 && this.#options.membership.isCurrent;
  }

  /** @param onLost called where the registry cannot be watched any more. */
  start(onLost: (error: unknown) => void): void {
    const { streams, runs, context } = this.#options;
    const follow = async <T>(bucket: Bucket<T>, entries: Map<string, Entry<T>>): Promise<void> => {
      for await (const change of bucket.watch(this.#left.signal)) {
        if (change.kind === 'current') this.#current += 1;
        else if (change.kind === 'put') entries.set(change.key, change);
        else entries.delete(change.key);
        if (change.kind !== 'current') this.#attend(change.key);
        this.look();
      }
    };
    const unsubscribe = onRewind(context.bus, '*', (rewind) => this.#onRewind(rewind));
    const timer = setInterval(() => this.look(), LOOK_MS);
    const following = Promise.all([follow(streams, this.#specs), follow(runs, this.#runs)])
      .catch((error: unknown) => {
        if (!this.#stop.signal.aborted) onLost(error);
      })
      .finally(() => {
        clearInterval(timer);
        unsubscribe();
      });
    this.#watching = Promise.all([following, this.#clear()]);
  }

  /** Decides anew what is this ingest's, soon: to be called when others came or went. */
  look(): void {
    this.#looking ??= setImmediate(() => {
      this.#looking = undefined;
      this.#decide();
    });
  }

  /**
   * Whether frames of a realtime stream have been in hand for long while nothing came of any, decoded or published or given up (I7): neither its
   * camera nor its algorithms are to blame. Offline a slow algorithm is. @param canPublish whether the bus answers.
   */
  standsStill(canPublish: boolean): boolean {
    const { metrics, settings } = this.#options.context;
    const standing = [...this.#playing.values()].filter(({ claim, standstill }) => {
      const { stream, spec } = claim.run;
      const book = metrics.framesOf(stream);
      book.update();
      const work = { held: book.open, done: book.done, canMove: canPublish && spec.mode === 'realtime' };
      return standstill.look(performance.now(), work) > STANDSTILL_MS + settings.stallMs;
    });
    return standing.length > 0;
  }

  /** By stream: what is lost if this process dies now (EX-11). Offline it is decoded again. */
  get held(): Readonly<Record<string, HeldRun>> {
    const { metrics } = this.#options.context;
    const realtime = [...this.#playing].filter(([, { claim }]) => claim.run.spec.mode === 'realtime');
    return Object.fromEntries(
      realtime.map(([key, { claim }]) => [
        key,
        { run: claim.run.run, epoch: claim.epoch, openFrames: metrics.framesOf(key).open },
      ]),
    );
  }

  /** Leaves every run to the others, gives the streams back and resolves when all is closed. Idempotent. */
  async stop(): Promise<void> {
    const { context, membership } = this.#options;
    const hasOthers = membership.live.length > 1;
    const limitMs = hasOthers ? context.settings.drainTimeoutMs / 2 : 0;
    const leaveAll = (): void => {
      for (const playing of this.#playing.values()) playing.leave('stopping', limitMs);
    };
    this.#stop.abort();
    clearImmediate(this.#looking);
    for (const timer of this.#timers) clearTimeout(timer);
    leaveAll();
    await Promise.all([...this.#busy.values()].map(({ done }) => done));
    // A claim that was under way when the stop came.
    leaveAll();
    await Promise.all([...this.#playing.values()].map(({ over }) => over));
    this.#left.abort();
    await this.#watching;
  }

  #decide(): void {
    if (!this.isCurrent || this.#stop.signal.aborted) return;
    const { live, id } = this.#options.membership;
    const { settings } = this.#options.context;
    const nowMs = performance.now();
    this.#orphans.retain(this.#specs);
    const items = [...this.#specs.values()].flatMap((spec) => this.#assignable(spec, live, nowMs) ?? []);
    const { take, giveBack } = assignmentOf(id, live, items);
    this.#toTake = new Set(take);
    for (const key of take) this.#attend(key);
    for (const key of giveBack) this.#playing.get(key)?.leave('moved', settings.openTimeoutMs + FILL_LIMIT_MS);
  }

  /** One ingest of all clears what is left of streams that are no more. */
  async #clear(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const { live, id } = this.#options.membership;
      const view = { specs: this.#specs, runs: this.#runs, live };
      if (this.isCurrent && live[0] === id) await this.#clearance.look(view, performance.now());
      await sleep(CLEAR_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Undefined where there is nothing to play. */
  #assignable(spec: Entry<StreamSpec>, live: readonly string[], nowMs: number): Assignable | undefined {
    const { key } = spec;
    const playing = this.#playing.get(key);
    const run = this.#runs.get(key);
    if (!playing && !this.#isRewound(key, run) && !isPlayable(spec, run)) return undefined;
    const { id } = this.#options.membership;
    const owner = playing && !playing.isOffered ? id : ownerOf(run);
    // Left by an earlier life of this ingest: it is nobody else's.
    const isOwnBefore = owner === id && !playing;
    const isOrphan = owner === undefined || !live.includes(owner);
    return {
      key,
      owner: isOwnBefore ? undefined : owner,
      movable: playing?.isPlaying === true && spec.value.mode === 'realtime',
      overdue: this.#orphans.isOverdue(key, isOrphan, nowMs) || isOwnBefore,
    };
  }

  /** The scheduler misses frames of a run whose source has ended: it is played again, by whichever ingest it falls to. */
  #onRewind(rewind: Rewind): void {
    for (const [key, { value }] of this.#runs)
      if (value.run === rewind.run && value.epoch === rewind.epoch && value.state.kind === 'ended') {
        this.#rewound.set(key, rewind);
        this.look();
      }
  }

  #isRewound(key: string, run: Entry<Run> | undefined): boolean {
    const rewound = this.#rewound.get(key);
    const holds =
      rewound !== undefined &&
      run?.value.run === rewound.run &&
      run.value.epoch === rewound.epoch &&
      run.value.state.kind === 'ended';
    if (!holds) this.#rewound.delete(key);
    return holds;
  }

  #attend(key: string): void {
    const busy = this.#busy.get(key);
    if (busy) {
      busy.again = true;
      return;
    }
    const state = { again: false, done: Promise.resolve() };
    this.#busy.set(key, state);
    state.done = this.#attendOnce(key)
      .catch((error: unknown) => {
        const { report } = this.#options.context;
        report(toFault(error, 'BUS_FAILED', `stream ${key} cannot be claimed, trying again`), { stream: key });
        this.#later(key);
      })
      .finally(() => {
        this.#busy.delete(key);
        if (state.again) this.#attend(key);
      });
  }

  async #attendOnce(key: string): Promise<void> {
    const spec = this.#specs.get(key);
    const run = this.#runs.get(key);
    const playing = this.#playing.get(key);
    if (playing) {
      if (run) playing.registered(run);
      const isOther = spec?.revision !== playing.claim.run.specRevision;
      if (isOther && !(spec && playing.change(spec))) playing.stop('removed');
      return;
    }
    if (!spec || !this.#toTake.has(key) || this.#stop.signal.aborted) return;
    if (!this.#isRewound(key, run) && !isPlayable(spec, run)) return;
    const { runs, membership, context } = this.#options;
    if (run && run.value.specRevision !== spec.revision) await this.#untilAnswered(run.value);
    const claim = await RunClaim.take({ runs, owner: membership.id, spec, standing: run });
    if (!claim) return;
    this.#orphans.forget(key);
    // One that gave the stream back has settled what it had.
    const before = run?.value.owner === NOBODY ? undefined : membership.heldBefore(key, claim.run.run);
    if (before) context.metrics.lostWithProcess(key, before.openFrames);
    const started = new StreamPlaying(context, claim);
    this.#playing.set(key, started);
    const over = (): void => {
      this.#playing.delete(key);
      if (!this.#stop.signal.aborted) this.look();
    };
    started.over.then(over, over);
  }

  /** The registry holds a stream's newest run alone: a scheduler that comes late would not know of the one before. */
  async #untilAnswered(run: Run): Promise<void> {
    const deadlineMs = performance.now() + ENDING_MS;
    const isBegun = run.state.kind === 'ended' && run.state.facts !== undefined;
    while (isBegun && performance.now() < deadlineMs && !this.#stop.signal.aborted) {
      if (await hasRunEnded(this.#options.context.bus, run)) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  #later(key: string): void {
    if (this.#stop.signal.aborted) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#attend(key);
    }, RETRY_MS);
    this.#timers.add(timer);
  }
}

/** Whose the run is; nobody's where it is over, or was given back. */
const ownerOf = (run: Entry<Run> | undefined): string | undefined =>
  run === undefined || isOver(run.value) || run.value.owner === NOBODY ? undefined : run.value.owner;
