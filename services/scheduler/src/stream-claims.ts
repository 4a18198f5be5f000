/**
 * Which streams this scheduler follows: those that have runs, shared evenly with the other schedulers that live (D11). A claim is a write of
 * the stream's assignment at the revision that was seen; its own revision is the fencing token of everything published under it (EX-6).
 */

import type { Bucket, Change, Entry } from '@stream-infer/bus/bucket';
import type { Membership } from '@stream-infer/bus/membership';
import type { SchedulerAssignment } from '@stream-infer/bus/registry';
import { type Watch, watchBucket } from '@stream-infer/bus/watch-bucket';
import { assignmentOf, OrphanTimes } from '@stream-infer/core/assignment';
import { type Fault, toFault } from '@stream-infer/core/fault';

export type StreamClaimsOptions = {
  readonly assignments: Bucket<SchedulerAssignment>;
  readonly membership: Membership;
  /** Whether the streams that there are, are known. */
  isReady(): boolean;
  /** This scheduler has the stream now. */
  gained(stream: string, token: number): void;
  /** Another has it, or is to have it; resolves when nothing of it is under way here. */
  lost(stream: string): Promise<void>;
  report(fault: Fault): void;
};

/** Owner of a stream that was given back. */
const NOBODY = '';
const LOOK_MS = 500;

export class StreamClaims {
  readonly #options: StreamClaimsOptions;
  readonly #streams = new Set<string>();
  readonly #entries = new Map<string, Entry<SchedulerAssignment>>();
  /** Stream → token. */
  readonly #held = new Map<string, number>();
  readonly #busy = new Set<string>();
  readonly #orphans = new OrphanTimes();
  readonly #watch: Watch;
  readonly #timer: NodeJS.Timeout;
  #looking: NodeJS.Immediate | undefined;
  #closed = false;

  constructor(options: StreamClaimsOptions) {
    this.#options = options;
    this.#watch = watchBucket(options.assignments, (change) => this.#changed(change), options.report);
    this.#timer = setInterval(() => this.look(), LOOK_MS);
  }

  /** Whether the claims that stand are known. */
  get isCurrent(): boolean {
    return this.#watch.isCurrent && this.#options.membership.isCurrent;
  }

  /** There is a run of this stream. */
  appeared(stream: string): void {
    if (this.#streams.has(stream)) return;
    this.#streams.add(stream);
    this.look();
  }

  /** There is none any more. */
  gone(stream: string): void {
    this.#streams.delete(stream);
    this.#orphans.forget(stream);
    this.#held.delete(stream);
    this.look();
  }

  /** Decides anew, soon: to be called when others came or went. */
  look(): void {
    this.#looking ??= setImmediate(() => {
      this.#looking = undefined;
      this.#decide();
    });
  }

  /** Gives everything back; to be called when nothing is under way any more. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    clearImmediate(this.#looking);
    await this.#watch.close();
    await Promise.all([...this.#held].map(([stream, token]) => this.#handOver(stream, token).catch(() => undefined)));
  }

  #changed(change: Change<SchedulerAssignment>): void {
    if (change.kind === 'put' && change.revision >= (this.#entries.get(change.key)?.revision ?? 0)) {
      this.#entries.set(change.key, change);
      const token = this.#held.get(change.key);
      if (token !== undefined && change.revision > token && change.value.owner !== this.#options.membership.id)
        this.#lose(change.key);
    }
    // What is older than a claim of one's own is late.
    if (change.kind === 'deleted' && change.revision > (this.#entries.get(change.key)?.revision ?? 0))
      this.#entries.delete(change.key);
    this.look();
  }

  #lose(stream: string): void {
    this.#held.delete(stream);
    void this.#attempt(stream, () => this.#options.lost(stream));
  }

  #decide(): void {
    const { membership, isReady } = this.#options;
    if (this.#closed || !this.isCurrent || !isReady()) return;
    const nowMs = performance.now();
    const { live, id } = membership;
    const items = [...this.#streams].map((key) => {
      const owner = this.#entries.get(key)?.value.owner || undefined;
      // Held by an earlier life of this scheduler: it is nobody else's.
      const isOwnBefore = owner === id && !this.#held.has(key) && !this.#busy.has(key);
      const isOrphan = owner === undefined || !live.includes(owner);
      const overdue = this.#orphans.isOverdue(key, isOrphan, nowMs) || isOwnBefore;
      return { key, owner: isOwnBefore ? undefined : owner, movable: this.#held.has(key), overdue };
    });
    const { take, giveBack } = assignmentOf(id, live, items);
    for (const stream of take) void this.#attempt(stream, () => this.#claim(stream));
    for (const stream of giveBack) void this.#attempt(stream, () => this.#giveBack(stream));
    this.#clear(live);
  }

  /** Claims on streams that have no run any more go: each scheduler's own, and by the first of all those that are nobody's. */
  #clear(live: readonly string[]): void {
    const { assignments, membership } = this.#options;
    for (const [stream, { value, revision }] of this.#entries) {
      if (this.#streams.has(stream)) continue;
      const isOurs = value.owner === membership.id || (!live.includes(value.owner) && live[0] === membership.id);
      if (isOurs) void this.#attempt(stream, async () => void (await assignments.delete(stream, revision)));
    }
  }

  /** One step of a stream at a time; what the bus refuses is tried again with the next look. */
  async #attempt(stream: string, step: () => Promise<void>): Promise<void> {
    if (this.#busy.has(stream)) return;
    this.#busy.add(stream);
    try {
      await step();
    } catch (error) {
      this.#options.report(
        toFault(error, 'BUS_FAILED', `the claim on stream ${stream} cannot be written, trying again`),
      );
    }
    this.#busy.delete(stream);
  }

  async #claim(stream: string): Promise<void> {
    const { assignments, membership, gained } = this.#options;
    const claim: SchedulerAssignment = { owner: membership.id };
    const standing = this.#entries.get(stream);
    const token = standing
      ? await assignments.update(stream, claim, standing.revision)
      : await assignments.create(stream, claim);
    if (token === undefined || this.#closed) return;
    this.#entries.set(stream, { key: stream, value: claim, revision: token });
    this.#held.set(stream, token);
    gained(stream, token);
  }

  async #giveBack(stream: string): Promise<void> {
    const token = this.#held.get(stream);
    if (token === undefined) return;
    this.#held.delete(stream);
    await this.#options.lost(stream);
    await this.#handOver(stream, token);
  }

  async #handOver(stream: string, token: number): Promise<void> {
    await this.#options.assignments.update(stream, { owner: NOBODY }, token);
  }
}
