/** The record of one window's result, its bytes, and the letter of one that failed for good. */

import { canonicalJson } from '@stream-infer/core/canonical-json';
import type { DeadLetter } from '@stream-infer/core/dead-letter';
import { Fault, type FaultJson, faultJson, toFault } from '@stream-infer/core/fault';
import { redactUrl } from '@stream-infer/core/redact-url';
import type { ResultRecord } from '@stream-infer/core/result-record';
import type { Trigger } from '@stream-infer/core/schedule';
import { timeKey } from '@stream-infer/core/time-key';
import type { UpstreamResult } from '@stream-infer/core/upstream';
import type { Answer } from './answer.ts';
import type { BufferedFrame, RunPlace } from './invocation-message.ts';

/** `lateMs` is null offline. */
export type Delivery = {
  readonly attempts: number;
  readonly lateMs: number | null;
  /** An algorithm with memory began anew before it. */
  readonly stateReset?: boolean | undefined;
};

export type RecordPlace = Pick<RunPlace, 'stream' | 'run' | 'fps'>;

export function recordOf(
  { stream, run, fps }: RecordPlace,
  algorithm: string,
  { n, frames }: Trigger<BufferedFrame>,
  answer: Exclude<Answer, { kind: 'not-started' }>,
  { attempts, lateMs, stateReset = false }: Delivery,
): ResultRecord {
  const header = frames.at(-1)?.header;
  return {
    stream,
    run,
    algorithm,
    n,
    key: timeKey(n, fps),
    sourceIndex: header?.sourceIndex ?? 0,
    timestampMs: (header?.presentationTimeUs ?? 0) / 1_000,
    capturedAtMs: lateMs === null ? null : (header?.capturedAtMs ?? null),
    ...(answer.kind === 'data' ? { data: answer.data } : { error: faultJson(answer.fault) }),
    attempts,
    lateMs,
    stateReset,
    version: answer.version,
  };
}

/** `error` is what the bytes say where they hold no data. */
export type RecordBytes = { readonly bytes: Uint8Array; readonly error: FaultJson | undefined };

/** Where canonical JSON cannot hold the data, or the bus takes no message of that size, those of an error in its place. */
export function recordBytes(record: ResultRecord, maxPayloadBytes: number): RecordBytes {
  try {
    const bytes = encode(record);
    if (bytes.length <= maxPayloadBytes) return { bytes, error: record.error };
    throw new Fault(
      'RESULT_TOO_LARGE',
      `the result takes ${bytes.length} bytes and the bus ${maxPayloadBytes}: return less, or give nats-server a larger max_payload`,
    );
  } catch (error) {
    const { data: _, ...rest } = record;
    const failed = { ...rest, error: faultJson(toFault(error)) };
    return { bytes: encode(failed), error: failed.error };
  }
}

/** What the algorithms that come after this one are handed of a record that is published. */
export function upstreamResult({ data, error }: Pick<ResultRecord, 'data' | 'error'>): UpstreamResult {
  return error ? { kind: 'error', fault: error } : { kind: 'data', json: encode(data ?? null) };
}

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(canonicalJson(value));

export type LetterFacts = Pick<DeadLetter, 'definition' | 'mode' | 'error' | 'specHash' | 'diedAtMs'>;

/** The letter of a window whose record is an error. */
export function deadLetterOf(
  { stream, run, algorithm, n, key, attempts }: ResultRecord,
  { frames }: Trigger<BufferedFrame>,
  { definition, mode, error, specHash, diedAtMs }: LetterFacts,
): DeadLetter {
  const window = frames.map(({ n: number, header: { sourceIndex, presentationTimeUs } }) => ({
    n: number,
    sourceIndex,
    timestampMs: presentationTimeUs / 1_000,
  }));
  const told = { code: error.code, message: redactUrl(error.message) };
  return { stream, run, algorithm, definition, n, key, mode, window, error: told, attempts, specHash, diedAtMs };
}
