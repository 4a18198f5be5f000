/** What the store takes of a message of RESULTS: its place, its rank, and its text as it came. Pure: bytes in, item out. */

import { canonicalJson } from '@stream-infer/core/canonical-json';
import type { FaultJson } from '@stream-infer/core/fault';
import { isName } from '@stream-infer/core/names';
import { redactUrl } from '@stream-infer/core/redact-url';
import type { ResultRecord, RunEnd } from '@stream-infer/core/result-record';

/** Of two records with one place the higher rank is kept: a replay may mend an error, and nothing unmakes a success (EX-6). */
export const RANK = { error: 0, success: 1 } as const;
export type Rank = (typeof RANK)[keyof typeof RANK];

export type ResultItem = {
  readonly kind: 'result';
  /** In RESULTS. */
  readonly sequence: number;
  readonly stream: string;
  readonly run: string;
  readonly algorithm: string;
  readonly n: number;
  /** The time key in milliseconds: an integer, since keys are truncated to the millisecond. */
  readonly keyMs: number;
  readonly rank: Rank;
  /** The record as one line of JSON. */
  readonly text: string;
};

export type EndItem = {
  readonly kind: 'end';
  readonly sequence: number;
  readonly stream: string;
  readonly run: string;
  readonly text: string;
};

export type StoreItem = ResultItem | EndItem;

type Message = { readonly kind: StoreItem['kind']; readonly sequence: number; readonly bytes: Uint8Array };

const decoder = new TextDecoder('utf-8', { fatal: true });
const KEY = /^\d{1,12}(\.\d{1,3})?$/;

/** Undefined where the bytes are no record or run end: nothing could be done with it, now or later. */
export function storeItem({ kind, sequence, bytes }: Message): StoreItem | undefined {
  try {
    const text = decoder.decode(bytes);
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    const line = isPresentable(text, value) ? text : canonicalJson(redacted(value));
    return kind === 'end' ? endItem(value, sequence, line) : resultItem(value, sequence, line);
  } catch {
    return undefined;
  }
}

type MayTellFault = { readonly error?: FaultJson; readonly fault?: FaultJson | null };

/**
 * Whether the text can be shown as it is. Canonical JSON is one line; another publisher's may not be, and lines are what NDJSON and
 * events are made of. And the message of a fault may quote a URL that its author forgot to redact (I8).
 */
function isPresentable(text: string, { error, fault }: MayTellFault): boolean {
  const message = error?.message ?? fault?.message;
  return !text.includes('\n') && (message === undefined || redactUrl(message) === message);
}

function redacted(value: MayTellFault): MayTellFault {
  const redact = (told: FaultJson): FaultJson => ({ ...told, message: redactUrl(told.message) });
  return {
    ...value,
    ...(value.error && { error: redact(value.error) }),
    ...(value.fault && { fault: redact(value.fault) }),
  };
}

function resultItem(value: Partial<ResultRecord>, sequence: number, text: string): ResultItem | undefined {
  const { stream, run, algorithm, n, key, data, error } = value;
  if (!named(stream) || !named(run) || !named(algorithm)) return undefined;
  if (n === undefined || !Number.isSafeInteger(n) || n < 0) return undefined;
  if (typeof key !== 'string' || !KEY.test(key)) return undefined;
  if ((data === undefined) === (error === undefined)) return undefined;
  const rank = error === undefined ? RANK.success : RANK.error;
  return { kind: 'result', sequence, stream, run, algorithm, n, keyMs: Math.round(Number(key) * 1000), rank, text };
}

function endItem({ stream, run }: Partial<RunEnd>, sequence: number, text: string): EndItem | undefined {
  return named(stream) && named(run) ? { kind: 'end', sequence, stream, run, text } : undefined;
}

const named = (name: unknown): name is string => typeof name === 'string' && isName(name);
