/**
 * The instances of one algorithm inside its worker thread: one for every window; or, where the algorithm has memory, one for each
 * stream, which runs its windows in order, one by one, and is gone when the stream is.
 *
 * Invariant: a window is run by an instance that has run the one before it, or by none (EX-9): the caller says which one that was, and
 * where the instance stands elsewhere the window is given back unstarted.
 */

import type { Logger } from '@stream-infer/algorithm';
import { Fault, faultJson, toFault } from '@stream-infer/core/fault';
import { AlgorithmInstance } from './algorithm-instance.ts';
import type { BatchAnswer, Placement, WindowJob, WorkerSpec } from './worker-messages.ts';

type Entry = { readonly instance: AlgorithmInstance; at: number; usedAtMs: number };

/** A stream that says nothing for so long is over, or elsewhere. */
const IDLE_MS = 10 * 60_000;

export class StreamInstances {
  readonly #spec: WorkerSpec;
  readonly #logger: Logger;
  readonly #placed: (placement: Placement) => void;
  /** Initialised before the first window; the first stream's, where there is one for each. */
  #first: AlgorithmInstance | undefined;
  readonly #lone: AlgorithmInstance;
  readonly #byStream = new Map<string, Entry>();

  private constructor(
    spec: WorkerSpec,
    logger: Logger,
    placed: (placement: Placement) => void,
    first: AlgorithmInstance,
  ) {
    this.#spec = spec;
    this.#logger = logger;
    this.#placed = placed;
    this.#first = first;
    this.#lone = first;
  }

  /** @param placed called for each instance that tells where its model runs. Throws what AlgorithmInstance.create throws. */
  static async create(
    spec: WorkerSpec,
    logger: Logger,
    placed: (placement: Placement) => void,
  ): Promise<StreamInstances> {
    const first = await AlgorithmInstance.create(spec, logger);
    if (first.placement) placed(first.placement);
    return new StreamInstances(spec, logger, placed, first);
  }

  get version(): string {
    return this.#lone.version;
  }

  /** Whether there is one for each stream. */
  get state(): 'none' | 'stream' {
    return this.#lone.state;
  }

  /** @param isLast whether the runner drains by the time that the window is run: it gives a snapshot, asked or not. Never rejects. */
  async run(jobs: readonly WindowJob[], isLast: () => boolean): Promise<BatchAnswer> {
    const [job] = jobs;
    if (this.state === 'none' || job === undefined) return this.#lone.run(jobs);
    try {
      await this.#closeIdle();
      const entry = await this.#entryFor(job);
      if (entry === undefined) return notThere(job);
      const answer = await entry.instance.run([job]);
      entry.at = job.n;
      entry.usedAtMs = performance.now();
      if (!job.turn?.takeSnapshot && !isLast()) return answer;
      const snapshot = await entry.instance.snapshot();
      return snapshot ? withSnapshot(answer, snapshot) : answer;
    } catch (error) {
      const fault = faultJson(toFault(error, 'ALGORITHM_FAILED'));
      return { kind: 'failed', answer: { kind: 'fault', fault }, runUs: 0, stagesUs: {} };
    }
  }

  /** The stream's instance is wanted no more. */
  async forget(instance: string): Promise<void> {
    const entry = this.#byStream.get(instance);
    this.#byStream.delete(instance);
    await entry?.instance.close();
  }

  async close(): Promise<void> {
    const all = new Set([...this.#byStream.values()].map(({ instance }) => instance));
    if (this.#first) all.add(this.#first);
    this.#byStream.clear();
    this.#first = undefined;
    for (const instance of all) await instance.close();
  }

  /** Undefined where the instance is not where the job wants it. */
  async #entryFor({ instance: key, turn }: WindowJob): Promise<Entry | undefined> {
    const found = this.#byStream.get(key);
    // Without a turn, whatever comes is next.
    if (found && (turn === undefined || (!turn.begin && turn.afterN === found.at))) return found;
    if (turn && !turn.begin) return undefined;
    await this.forget(key);
    const made = this.#first ?? (await this.#another());
    this.#first = undefined;
    if (turn?.snapshot) await made.restore(turn.snapshot);
    const entry = { instance: made, at: turn?.afterN ?? 0, usedAtMs: performance.now() };
    this.#byStream.set(key, entry);
    return entry;
  }

  async #another(): Promise<AlgorithmInstance> {
    const made = await AlgorithmInstance.create(this.#spec, this.#logger);
    if (made.placement) this.#placed(made.placement);
    return made;
  }

  async #closeIdle(): Promise<void> {
    for (const [key, { usedAtMs }] of this.#byStream)
      if (performance.now() - usedAtMs > IDLE_MS) await this.forget(key);
  }
}

const withSnapshot = (answer: BatchAnswer, snapshot: Uint8Array): BatchAnswer =>
  answer.kind === 'answered'
    ? { ...answer, answers: answer.answers.map((one) => ({ ...one, snapshot })) }
    : { ...answer, answer: { ...answer.answer, snapshot } };

function notThere({ instance, n, turn }: WindowJob): BatchAnswer {
  const message = `window ${n} of ${instance} is not run: the runner has no instance that has run window ${turn?.afterN} last`;
  const fault = faultJson(new Fault('STATE_LOST', message));
  return { kind: 'answered', answers: [{ kind: 'fault', fault, notStarted: true }], runUs: 0, stagesUs: {} };
}
