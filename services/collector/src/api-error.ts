/** What the API answers where it cannot do what is asked: `{"error": {"code", "message"}}` with a status that fits. */

import { FAULTS, type Fault, type FaultCode } from '@stream-infer/core/fault';
import { NAME, NAME_RULE, OWNER, OWNER_RULE } from '@stream-infer/core/names';
import { IF_MATCH_PATTERN, IF_MATCH_RULE, IF_NONE_MATCH_PATTERN, IF_NONE_MATCH_RULE } from './precondition.ts';
import { CURSOR_PATTERN, CURSOR_RULE } from './record-cursor.ts';
import { TIME_PATTERN, TIME_RULE } from './time-range.ts';

export const API_ERRORS = {
  BAD_REQUEST: { status: 400, description: 'A parameter is unknown or has a value that it cannot have; it is named.' },
  UNAUTHORIZED: { status: 401, description: 'The API needs a token, and none came, or one that is not known.' },
  FORBIDDEN: { status: 403, description: 'The token is good, and its role does not allow what is asked.' },
  UNKNOWN_STREAM: { status: 404, description: 'No such stream is registered, or nothing of it is stored.' },
  UNKNOWN_RUN: { status: 404, description: 'Nothing of that run of the stream is stored.' },
  UNKNOWN_PATH: { status: 404, description: 'The API has no such path, or not with that method.' },
  STREAM_EXISTS: { status: 409, description: 'A stream with that id is registered already.' },
  STREAM_CHANGED: {
    status: 412,
    description: 'The stream is not at the ETag that the request names: another has written it.',
  },
  BODY_TOO_LARGE: { status: 413, description: 'The body of the request is larger than 64 KiB.' },
  UNAVAILABLE: { status: 503, description: 'The bus does not answer; what is stored can still be read.' },
  STORE_UNAVAILABLE: {
    status: 503,
    description: 'The database of the results does not answer; they are stored once it is back.',
  },
  INTERNAL: { status: 500, description: 'A defect of the collector; its log tells more.' },
} as const;

export type ApiErrorCode = keyof typeof API_ERRORS;

/** Of a stream that is one, and is not taken. */
const REFUSED_STREAMS: readonly FaultCode[] = ['BUS_NO_ROOM', 'SOURCE_FORBIDDEN'];

/** Faults that a request can be refused with, beside those: 409 where the bus has no room, 400 for a body that is no stream, or whose source is not allowed. */
export const REFUSING_FAULTS: readonly FaultCode[] = (Object.keys(FAULTS) as FaultCode[]).filter(
  (code) => REFUSED_STREAMS.includes(code) || (FAULTS[code].exitStatus === 2 && !Object.hasOwn(API_ERRORS, code)),
);

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ApiErrorCode;

  constructor(code: ApiErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export const apiErrorBody = ({ code, message }: ApiError | Fault) => ({ error: { code, message } });

export function statusOf(error: ApiError | Fault): number {
  if (error instanceof ApiError) return API_ERRORS[error.code].status;
  if (error.code === 'BUS_NO_ROOM') return API_ERRORS.STREAM_EXISTS.status;
  return REFUSING_FAULTS.includes(error.code) ? 400 : API_ERRORS.INTERNAL.status;
}

/** What the validator of a route refused. */
export type Refusal = {
  readonly instancePath: string;
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message?: string | undefined;
};

const WHERE: Readonly<Record<string, string>> = {
  params: 'path parameter',
  querystring: 'query parameter',
  headers: 'header',
};

/** Patterns in words. */
const RULES: Readonly<Record<string, string>> = {
  [NAME.source]: NAME_RULE,
  [OWNER.source]: OWNER_RULE,
  [TIME_PATTERN]: TIME_RULE,
  [CURSOR_PATTERN]: CURSOR_RULE,
  [IF_MATCH_PATTERN]: IF_MATCH_RULE,
  [IF_NONE_MATCH_PATTERN]: IF_NONE_MATCH_RULE,
};

/** Names the parameter and what it must be. */
export function badRequest(refusal: Refusal | undefined, context: string | undefined): ApiError {
  const where = WHERE[context ?? ''] ?? 'request';
  if (refusal?.keyword === 'additionalProperties')
    return new ApiError('BAD_REQUEST', `${where} ${String(refusal.params.additionalProperty)} is unknown here`);
  const name = refusal?.instancePath.slice(1) ?? '';
  const rule = RULES[String(refusal?.params.pattern)];
  if (rule !== undefined) return new ApiError('BAD_REQUEST', `${where} ${name} ${rule}`);
  return new ApiError('BAD_REQUEST', `${where} ${name} ${refusal?.message ?? 'is invalid'}`);
}
