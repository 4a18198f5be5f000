/** What all streams of an ingest share. */

import type { Bus } from '@stream-infer/bus/bus';
import type { Fault } from '@stream-infer/core/fault';
import type { Settings } from '@stream-infer/core/settings';
import type { Logger } from '@stream-infer/service-kit/logger';
import type { ConnectionGate } from './connection-gate.ts';
import type { IngestMetrics } from './metrics.ts';
import type { SourcePolicy } from './source-policy.ts';

export type PlayingContext = {
  readonly bus: Bus;
  readonly settings: Settings<'ingest'>;
  readonly metrics: IngestMetrics;
  /** Before a source is opened. */
  readonly gate: ConnectionGate;
  readonly policy: SourcePolicy;
  readonly logger: Logger;
  report(fault: Fault, fields?: Readonly<Record<string, unknown>>): void;
};
