/** How a run comes to its end here: what its buffer, the registry and RESULTS are told of it, and how its source stands then. */

import { deleteFrameBuffers } from '@stream-infer/bus/frame-stream';
import { type Fault, type FaultCode, faultJson } from '@stream-infer/core/fault';
import type { RunFacts, RunState } from '@stream-infer/core/run';
import { inTime } from './end-marking.ts';
import type { PlayingContext } from './playing-context.ts';
import type { RunClaim } from './run-claim.ts';
import { publishFailedRun } from './run-end.ts';
import type { SourceLife } from './source-life.ts';
import { sourceReason } from './source-reason.ts';
import type { StreamEpoch } from './stream-epoch.ts';

export type SettlementOptions = {
  readonly context: PlayingContext;
  readonly life: SourceLife;
  /** Aborts when the run is stopped from outside. */
  readonly signal: AbortSignal;
};

export class RunSettlement {
  readonly #options: SettlementOptions;

  constructor(options: SettlementOptions) {
    this.#options = options;
  }

  /**
   * Its source came to its end, or broke by the fault. A stop that comes now changes nothing any more, unless the marker cannot be published in
   * time: then nothing is settled, and this is false.
   */
  async end(claim: RunClaim, epoch: StreamEpoch, fault: Fault | undefined): Promise<boolean> {
    const { life, signal } = this.#options;
    if (!(await inTime(epoch.mark(fault), signal))) return false;
    if (fault) life.failed(sourceReason(fault));
    else life.ended();
    if (epoch.facts) await this.#settle(claim, { kind: 'ended', facts: epoch.facts }, fault?.code);
    return true;
  }

  /** It cannot go on, and no end marker tells so. @param hasPlayed whether an epoch did here: then its end is the scheduler's to publish (EX-7). */
  async fail(claim: RunClaim, fault: Fault, hasPlayed: boolean): Promise<void> {
    const { context, life, signal } = this.#options;
    life.failed(sourceReason(fault));
    const isSettled = await this.#settle(claim, { kind: 'failed', fault: faultJson(fault) }, fault.code);
    if (isSettled && !hasPlayed) await publishFailedRun(context.bus, claim.run, { fault, signal });
  }

  /**
   * Its stream is no more. What was published is still answered; nobody goes on with the run.
   * @param epoch the one that was stopped; undefined between two. @param played facts of the newest epoch that played.
   */
  async remove(claim: RunClaim, epoch: StreamEpoch | undefined, played: RunFacts | undefined): Promise<void> {
    const { life, signal } = this.#options;
    life.ended();
    const facts = epoch?.facts ?? played;
    if (epoch?.facts) await inTime(epoch.mark(epoch.removal), signal);
    if (facts) await this.#settle(claim, { kind: 'ended', facts, removed: true }, epoch?.removal?.code);
    else await claim.remove();
  }

  /** Writes the state that the run ends in; nobody reads the epochs before its last any more. False where another ingest has taken it. */
  async #settle(claim: RunClaim, state: RunState, fault: FaultCode | undefined): Promise<boolean> {
    const { bus, metrics } = this.#options.context;
    metrics.runs.inc({ fault: fault ?? 'none' });
    if (!(await claim.write(state))) return false;
    await deleteFrameBuffers(bus, claim.run.stream, claim.before);
    return true;
  }
}
