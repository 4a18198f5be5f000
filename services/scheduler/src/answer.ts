/** What a runner answered, checked: anybody's runner may send anything. */

import { Fault, isFaultCode, toFault } from '@stream-infer/core/fault';
import type { Json } from '@stream-infer/core/json';
import type { Result } from '@stream-infer/proto/stream_infer/v1/result';

/** `version` is the algorithm's, empty where none answered. */
export type Answer =
  | { readonly kind: 'data'; readonly data: Json; readonly version: string }
  | { readonly kind: 'error'; readonly fault: Fault; readonly version: string }
  /** The runner gave it back before it started. */
  | { readonly kind: 'not-started'; readonly fault: Fault };

/** G-4. */
const MOST_RESULT_BYTES = 2 ** 20;

export const errorAnswer = (fault: Fault, version = ''): Extract<Answer, { kind: 'error' }> => ({
  kind: 'error',
  fault,
  version,
});

export function answerOf({ outcome, version }: Result): Answer {
  switch (outcome?.$case) {
    case 'data':
      return dataAnswer(outcome.value, version);
    case 'fault': {
      const { code, message, notStarted } = outcome.value;
      const fault = isFaultCode(code) ? new Fault(code, message) : new Fault('ALGORITHM_FAILED', `${code}: ${message}`);
      return notStarted ? { kind: 'not-started', fault } : errorAnswer(fault, version);
    }
    case undefined:
      return errorAnswer(new Fault('ALGORITHM_FAILED', 'the runner answered neither data nor a fault'), version);
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true });

function dataAnswer(bytes: Uint8Array, version: string): Answer {
  if (bytes.length > MOST_RESULT_BYTES) {
    const message = `the result has ${bytes.length} bytes of JSON: return at most ${MOST_RESULT_BYTES}`;
    return errorAnswer(new Fault('RESULT_TOO_LARGE', message), version);
  }
  try {
    const data = JSON.parse(decoder.decode(bytes)) as Json;
    return { kind: 'data', data, version };
  } catch (error) {
    return errorAnswer(toFault(error, 'RESULT_NOT_JSON', 'the runner answered what is no JSON'), version);
  }
}
