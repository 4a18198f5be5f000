/** The record of one window's result, and its bytes. */

import { canonicalJson } from '@stream-infer/core/canonical-json';
import { Fault, faultJson, toFault } from '@stream-infer/core/fault';
import type { ResultRecord } from '@stream-infer/core/result-record';
import type { Trigger } from '@stream-infer/core/schedule';
import { timeKey } from '@stream-infer/core/time-key';
import type { Answer } from './answer.ts';
import type { BufferedFrame, RunPlace } from './invocation-message.ts';

/** `lateMs` is null offline. */
export type Delivery = { readonly attempts: number; readonly lateMs: number | null };

export function recordOf(
  { stream, run, fps }: RunPlace,
  algorithm: string,
  { n, frames }: Trigger<BufferedFrame>,
  answer: Exclude<Answer, { kind: 'not-started' }>,
  { attempts, lateMs }: Delivery,
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
    stateReset: false,
    version: answer.version,
  };
}

export type RecordBytes = { readonly bytes: Uint8Array; readonly failed: boolean };

/** Where canonical JSON cannot hold the data, or the bus takes no message of that size, those of an error in its place. */
export function recordBytes(record: ResultRecord, maxPayloadBytes: number): RecordBytes {
  try {
    const bytes = encode(record);
    if (bytes.length <= maxPayloadBytes) return { bytes, failed: record.error !== undefined };
    throw new Fault(
      'RESULT_TOO_LARGE',
      `the result takes ${bytes.length} bytes and the bus ${maxPayloadBytes}: return less, or give nats-server a larger max_payload`,
    );
  } catch (error) {
    const { data: _, ...rest } = record;
    return { bytes: encode({ ...rest, error: faultJson(toFault(error)) }), failed: true };
  }
}

const encode = (record: ResultRecord): Uint8Array => new TextEncoder().encode(canonicalJson(record));
