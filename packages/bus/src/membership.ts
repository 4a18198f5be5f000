/**
 * One of several that share the streams of their role: it beats each second, and watches who else does (D11). Who is alive is decided by
 * core/liveness.ts; this moves it.
 */

import type { LivenessOptions } from '@stream-infer/core/liveness';
import { Liveness } from '@stream-infer/core/liveness';
import type { Bucket, Change } from './bucket.ts';
import type { Bus } from './bus.ts';
import type { HeldRun, Member, Role } from './registry.ts';
import { type Watch, watchBucket } from './watch-bucket.ts';

export type MembershipOptions = {
  readonly bus: Bus;
  readonly members: Bucket<Member>;
  readonly role: Role;
  /** Unique among those that run at the same time. One that comes back under its id takes what it held at once. */
  readonly id: string;
  /** What it has in hand, told with each beat; by stream. */
  held(): Readonly<Record<string, HeldRun>>;
  /** Others came or went. */
  onChange(): void;
  /** A beat that the bus did not take, or a watch that broke: it is tried again. */
  onTrouble(error: unknown): void;
};

const BEAT_MS = 1_000;
const LOOK_MS = 250;
/** Longer than any answer of the bus is waited for. */
const STANDSTILL_MS = 15_000;
const UNHEARD_MS = 5_000;
const LIVENESS: LivenessOptions = { leaseMs: 3_000, pauseMs: 1_500, buryMs: 60_000 };

export class Membership {
  readonly id: string;
  readonly #options: MembershipOptions;
  readonly #liveness = new Liveness(LIVENESS);
  /** Of the newest beat of each of the others. */
  readonly #revisions = new Map<string, number>();
  readonly #startedAtMs = Date.now();
  readonly #timers: NodeJS.Timeout[];
  readonly #watch: Watch;
  /** What others, and whoever had this id before, told last. Of one that said goodbye nothing is kept: it settled what it had. */
  readonly #told = new Map<string, Readonly<Record<string, HeldRun>>>();
  #beats = 0;
  #triedAtMs = performance.now();
  #toldAtMs = Number.NEGATIVE_INFINITY;
  #beating: Promise<void> | undefined;
  #closed = false;
  #hasBeaten = false;
  #live: readonly string[];

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.id = options.id;
    this.#live = [this.id];
    const { members, onTrouble } = options;
    this.#watch = watchBucket(
      members,
      (change) => this.#changed(change),
      (fault) => onTrouble(fault.cause ?? fault),
    );
    this.#beat();
    this.#timers = [setInterval(() => this.#beat(), BEAT_MS), setInterval(() => this.#look(), LOOK_MS)];
  }

  /** Ids of all that are alive, this one among them, sorted. */
  get live(): readonly string[] {
    return this.#live;
  }

  /** Tells now what this one has in hand, or has no more. Never rejects. */
  async beatNow(): Promise<void> {
    await this.#beating;
    this.#beat();
    await this.#beating;
  }

  /** What one that had this run before had in hand when it was last heard; undefined where nothing is known. */
  heldBefore(stream: string, run: string): HeldRun | undefined {
    const known = [...this.#told.values()].flatMap((held) => held[stream] ?? []).filter((held) => held.run === run);
    return known.sort((a, b) => a.epoch - b.epoch || (a.newest?.sequence ?? 0) - (b.newest?.sequence ?? 0)).at(-1);
  }

  /** Whether all that stood in the registry is known. */
  get isCurrent(): boolean {
    return this.#watch.isCurrent && this.#hasBeaten;
  }

  /** Whether it comes to beat, each second, whatever the bus makes of it: one that does not is to be started again (I7). */
  get isBeating(): boolean {
    return this.#closed || performance.now() - this.#triedAtMs < STANDSTILL_MS;
  }

  /** Whether the bus takes its beats: one that cannot be heard gets no work. */
  get isHeard(): boolean {
    return performance.now() - this.#toldAtMs < UNHEARD_MS;
  }

  /** Says goodbye: what it held is anybody's at once. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const watched = this.#watch.close();
    for (const timer of this.#timers) clearInterval(timer);
    await this.#beating;
    await this.#options.members.delete(this.#key(this.id)).catch(() => undefined);
    await watched;
  }

  #key(id: string): string {
    return `${this.#options.role}.${id}`;
  }

  #beat(): void {
    const { bus } = this.#options;
    if (this.#beating) return;
    this.#triedAtMs = performance.now();
    // What cannot be sent would be gathered by the client, and say nothing when it arrives.
    if (!bus.isConnected) return;
    this.#beating = this.#tell()
      .catch(this.#options.onTrouble)
      .finally(() => {
        this.#beating = undefined;
      });
  }

  async #tell(): Promise<void> {
    const { members, role, held } = this.#options;
    const key = this.#key(this.id);
    if (!this.#hasBeaten) {
      const before = await members.get(key);
      if (before) this.#told.set(this.id, before.value.held ?? {});
    }
    this.#beats += 1;
    await members.put(key, { id: this.id, role, startedAtMs: this.#startedAtMs, beat: this.#beats, held: held() });
    this.#hasBeaten = true;
    this.#toldAtMs = performance.now();
  }

  #changed(change: Change<Member>): void {
    const own = `${this.#options.role}.`;
    if (change.kind !== 'current' && change.key.startsWith(own)) this.#heard(change.key.slice(own.length), change);
  }

  #heard(id: string, change: Exclude<Change<Member>, { kind: 'current' }>): void {
    if (id === this.id) return;
    if (change.kind === 'put') {
      this.#told.set(id, change.value.held ?? {});
      this.#revisions.set(id, change.revision);
      this.#liveness.heard(id, performance.now());
    } else {
      this.#told.delete(id);
      this.#revisions.delete(id);
      this.#liveness.forget(id);
    }
    this.#look();
  }

  #look(): void {
    const nowMs = performance.now();
    const canHear = this.#options.bus.isConnected && this.#watch.isCurrent;
    const live = [this.id, ...this.#liveness.look(nowMs, canHear)].sort();
    for (const id of this.#liveness.buried) {
      this.#liveness.forget(id);
      // Unless it beats again just now.
      void this.#options.members.delete(this.#key(id), this.#revisions.get(id)).catch(() => undefined);
    }
    if (live.join() === this.#live.join()) return;
    this.#live = live;
    this.#options.onChange();
  }
}
