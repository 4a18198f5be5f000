/** What the API answers where it cannot do what is asked: `{"error": {"code", "message"}}` with a status that fits. */

export const API_ERRORS = {
  BAD_REQUEST: { status: 400, description: 'A parameter is unknown or has a value that it cannot have; it is named.' },
  UNKNOWN_STREAM: { status: 404, description: 'Nothing of that stream is stored.' },
  UNKNOWN_RUN: { status: 404, description: 'Nothing of that run of the stream is stored.' },
  UNKNOWN_PATH: { status: 404, description: 'The API has no such path, or not with that method.' },
  INTERNAL: { status: 500, description: 'A defect of the collector; its log tells more.' },
} as const;

export type ApiErrorCode = keyof typeof API_ERRORS;

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ApiErrorCode;

  constructor(code: ApiErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export const apiErrorBody = ({ code, message }: Pick<ApiError, 'code' | 'message'>) => ({ error: { code, message } });

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

/** Names the parameter and what it must be. */
export function badRequest(refusal: Refusal | undefined, context: string | undefined): ApiError {
  const where = WHERE[context ?? ''] ?? 'request';
  if (refusal?.keyword === 'additionalProperties')
    return new ApiError('BAD_REQUEST', `${where} ${String(refusal.params.additionalProperty)} is unknown here`);
  const name = refusal?.instancePath.slice(1) ?? '';
  return new ApiError('BAD_REQUEST', `${where} ${name} ${refusal?.message ?? 'is invalid'}`);
}
