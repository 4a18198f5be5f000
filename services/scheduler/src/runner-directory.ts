/**
 * Which runners there are: the registry's entries, each with a conversation. A new runner takes work as soon as it is registered; one
 * that is gone without a word is forgotten when its conversation is broken and its beat stands still (D11).
 */

import type { Bucket } from '@stream-infer/bus/bucket';
import type { RunnerRegistration } from '@stream-infer/bus/registry';
import { type Watch, watchBucket } from '@stream-infer/bus/watch-bucket';
import { Fault } from '@stream-infer/core/fault';
import type { Result } from '@stream-infer/proto/stream_infer/v1/result';
import type { Logger } from '@stream-infer/service-kit/logger';
import type { Dispatcher } from './dispatcher.ts';
import type { SchedulerMetrics } from './metrics.ts';
import { RunnerBeat } from './runner-beat.ts';
import { RunnerClient, type RunnerTls } from './runner-client.ts';
import { mismatch, TlsTrouble } from './runner-tls-trouble.ts';

export type RunnerDirectoryOptions = {
  readonly runners: Bucket<RunnerRegistration>;
  readonly dispatcher: Dispatcher;
  /** Undefined where runners are called in plain text. */
  readonly tls: RunnerTls | undefined;
  /** Names this scheduler to the runners. */
  readonly caller: string;
  readonly metrics: SchedulerMetrics;
  readonly logger: Logger;
  /** A runner answered an invocation of this definition. */
  answered(definition: string, result: Result): void;
  report(fault: Fault, fields: Readonly<Record<string, unknown>>): void;
};

type Known = { readonly client: RunnerClient; readonly beat: RunnerBeat };

const SWEEP_MS = 1_000;

export class RunnerDirectory {
  readonly #options: RunnerDirectoryOptions;
  readonly #known = new Map<string, Known>();
  /** Deleted from the registry; they finish what they have. */
  readonly #retired = new Set<Known>();
  /** Those that cannot be called as this scheduler calls: the start of each that was told of, by id. */
  readonly #uncallable = new Map<string, number>();
  readonly #watch: Watch;
  readonly #sweep: NodeJS.Timeout;

  constructor(options: RunnerDirectoryOptions) {
    this.#options = options;
    options.metrics.observeRunners(() => [...this.#known.values()].filter(({ client }) => client.isOpen).length);
    this.#watch = watchBucket(
      options.runners,
      (change) => {
        if (change.kind === 'put') this.#put(change.value);
        if (change.kind === 'deleted') this.#retire(change.key);
      },
      (fault) => options.report(fault, {}),
    );
    this.#sweep = setInterval(() => this.#forgetGone(), SWEEP_MS);
  }

  /** Whether all that stood in the registry is known. */
  get isCurrent(): boolean {
    return this.#watch.isCurrent;
  }

  /** Definitions that runners serve. */
  get definitions(): readonly string[] {
    return [...this.#known.values()].flatMap(({ client }) => client.runner.algorithms.map((one) => one.definition));
  }

  /** Instances that a runner has of a definition, on average; undefined where none serves it. */
  capacityOf(definition: string): number | undefined {
    const served = this.#serving(definition);
    return served.length > 0 ? served.reduce((sum, one) => sum + one.concurrency, 0) / served.length : undefined;
  }

  /** Whether its windows are run one after the other on each stream. */
  remembers(definition: string): boolean {
    return this.#serving(definition).some(({ state }) => state === 'stream');
  }

  #serving(definition: string): readonly RunnerRegistration['algorithms'][number][] {
    const served = [...this.#known.values()].flatMap(({ client }) => client.runner.algorithms);
    return served.filter((one) => one.definition === definition);
  }

  /** Ends every conversation; idempotent. */
  async close(): Promise<void> {
    clearInterval(this.#sweep);
    await this.#watch.close();
    for (const known of [...this.#known.values(), ...this.#retired]) this.#forget(known);
  }

  #put(runner: RunnerRegistration): void {
    const known = this.#known.get(runner.id);
    if (
      known &&
      known.client.runner.address === runner.address &&
      known.client.runner.startedAtMs === runner.startedAtMs
    ) {
      known.beat.heard(runner.beat);
      return;
    }
    if (known) this.#forget(known);
    if (!this.#isCallable(runner)) return;
    const { dispatcher, tls, caller, metrics, logger, answered, report } = this.#options;
    const trouble = new TlsTrouble(runner, tls);
    const beat = new RunnerBeat(runner.beat);
    const client = new RunnerClient({
      runner,
      tls,
      caller,
      lives: () => beat.lives(),
      events: {
        credits: (definition) => dispatcher.pump(definition),
        answered,
        stray: () => report(strayFault(runner.id), { runner: runner.id }),
        opened: () => {
          trouble.over();
          logger.info({ runner: runner.id, address: runner.address }, 'runner is connected');
        },
        broken: (why, unanswered) => {
          if (this.#known.get(runner.id)?.client !== client) return;
          metrics.conversationBroke();
          const refusal = trouble.of(why);
          if (refusal) report(refusal, { runner: runner.id });
          if (unanswered > 0) report(lostFault(runner.id, why, unanswered), { runner: runner.id });
          else logger.debug({ runner: runner.id, why }, 'runner is not connected');
        },
      },
    });
    this.#known.set(runner.id, { client, beat });
    dispatcher.addCarrier(client);
  }

  /** Whether it speaks as we do; told of once where it does not. */
  #isCallable(runner: RunnerRegistration): boolean {
    const fault = mismatch(runner, this.#options.tls);
    if (fault && this.#uncallable.get(runner.id) !== runner.startedAtMs)
      this.#options.report(fault, { runner: runner.id });
    if (fault) this.#uncallable.set(runner.id, runner.startedAtMs);
    else this.#uncallable.delete(runner.id);
    return fault === undefined;
  }

  #retire(id: string): void {
    this.#uncallable.delete(id);
    const known = this.#known.get(id);
    if (known === undefined) return;
    this.#known.delete(id);
    this.#options.dispatcher.removeCarrier(known.client);
    if (known.client.holds > 0) this.#retired.add(known);
    else known.client.close();
  }

  #forgetGone(): void {
    for (const known of this.#retired) if (known.client.holds === 0) this.#forget(known);
    for (const known of this.#known.values()) if (!known.client.isOpen && known.beat.standsStill) this.#forget(known);
  }

  #forget(known: Known): void {
    const { id } = known.client.runner;
    if (this.#known.get(id) === known) this.#known.delete(id);
    this.#retired.delete(known);
    this.#options.dispatcher.removeCarrier(known.client);
    known.client.close();
    known.beat.close();
  }
}

const strayFault = (runner: string): Fault =>
  new Fault('PROTOCOL_BROKEN', `runner ${runner} answered what it holds no invocation for: the answer is ignored`);

const lostFault = (runner: string, why: string, unanswered: number): Fault =>
  new Fault('RUNNER_LOST', `runner ${runner} is lost (${why}): its ${unanswered} invocations go to others`);
