/** How the source of a run stands, told wherever it is asked for: in the log, in the metrics, and on the bus. */

import { announceStatus } from '@stream-infer/bus/announcements';
import { type Fault, faultJson } from '@stream-infer/core/fault';
import type { Run } from '@stream-infer/core/run';
import type { SourceCondition } from '@stream-infer/core/source-state';
import { toldFault } from '@stream-infer/core/told-fault';
import type { Logger } from '@stream-infer/service-kit/logger';
import { type FlowProgress, NO_PROGRESS } from './frame-flow.ts';
import type { PlayingContext } from './playing-context.ts';
import { SourceLife } from './source-life.ts';

export type SourceReportOptions = {
  readonly context: PlayingContext;
  readonly logger: Logger;
  readonly run: Run;
  /** Of the epoch that plays; undefined where none does. */
  progress(): FlowProgress | undefined;
  /** Another ingest plays the run, and tells how its source is. */
  isElsewhere(): boolean;
};

const STATUS_MS = { offline: 250, realtime: 1_000 } as const;

export class SourceReport {
  readonly life: SourceLife;
  readonly #options: SourceReportOptions;
  readonly #telling: NodeJS.Timeout;
  #progress = NO_PROGRESS;

  constructor(options: SourceReportOptions) {
    this.#options = options;
    const { context, run } = options;
    const { backoffMinMs: minMs, backoffMaxMs: maxMs, stallMs } = context.settings;
    this.life = new SourceLife({
      backoff: { minMs, maxMs, random: Math.random },
      stallMs,
      wallMs: Date.now,
      onChange: (condition) => this.#changed(condition),
    });
    this.#tellMetrics(this.life.condition);
    this.#telling = setInterval(() => this.tell(), STATUS_MS[run.spec.mode]);
  }

  /** What is told until there is something newer. */
  note(progress: FlowProgress | undefined): void {
    this.#progress = progress ?? this.#progress;
  }

  /** The source could not be opened, or broke: told once, and with the condition for as long as it is lost by this. */
  broke(fault: Fault): void {
    const { context, run } = this.#options;
    this.life.broke(fault);
    context.report(fault, { stream: run.stream, run: run.run });
  }

  /** Announces it now. */
  tell(): void {
    const { context, run, progress, isElsewhere } = this.#options;
    this.note(progress());
    if (isElsewhere()) return;
    const { condition, loss } = this.life;
    const { fault, retryAtMs } = loss ?? {};
    announceStatus(context.bus, {
      stream: run.stream,
      run: run.run,
      condition,
      fault: fault === undefined ? null : toldFault(faultJson(fault)),
      retryInMs: retryAtMs === undefined ? null : Math.max(0, Math.round(retryAtMs - Date.now())),
      ...this.#progress,
      // Of a source that is lost frames came once, and there is no rate any more.
      ...(condition.state !== 'playing' && { framesPerSecond: 0 }),
    });
  }

  /** Tells it for the last time. */
  close(): void {
    clearInterval(this.#telling);
    this.tell();
    this.#tellMetrics(undefined);
  }

  #changed(condition: SourceCondition): void {
    const { context, run, logger } = this.#options;
    const { state, reason } = condition;
    this.#tellMetrics(condition);
    context.metrics.sourceChanges.inc({ stream: run.stream, state, reason });
    logger.info({ state, reason }, 'source');
    this.tell();
  }

  #tellMetrics(condition: SourceCondition | undefined): void {
    const { context, run } = this.#options;
    context.metrics.setCondition(run.stream, condition && { ...condition, mode: run.spec.mode });
  }
}
