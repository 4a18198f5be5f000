/** The registry of streams over the collector's API. What it refuses is thrown as the fault that it is. */

import { Fault, type FaultCode, isFaultCode } from '@stream-infer/core/fault';
import { redactUrl } from '@stream-infer/core/redact-url';
import type { StreamDefinitionInput } from '@stream-infer/core/stream-definition';
import type { StreamReport } from '@stream-infer/core/stream-report';

/** The header that a token goes in. */
export const bearer = (token: string | undefined): Readonly<Record<string, string>> =>
  token === undefined ? {} : { authorization: `Bearer ${token}` };

export type PutOptions = {
  readonly owner?: string | undefined;
  /** What must stand there; undefined where nothing may. */
  readonly revision?: number | undefined;
  /** What equals what stands there is left alone, and playing. */
  readonly ifChanged?: boolean;
};

/** Rejections are API_UNREACHABLE, API_FAILED, UNKNOWN_STREAM, STREAM_EXISTS, STREAM_CHANGED or a fault of the configuration. */
export type StreamsClient = {
  /** By id. */
  list(): Promise<readonly StreamReport[]>;
  get(id: string): Promise<StreamReport>;
  add(definition: StreamDefinitionInput, owner: string | undefined): Promise<StreamReport>;
  put(definition: StreamDefinitionInput, options: PutOptions): Promise<StreamReport>;
  /** @param revision that must stand there; any where it is not given. */
  remove(id: string, revision?: number): Promise<void>;
};

const TIME_LIMIT_MS = 15_000;

/**
 * @param url such as http://127.0.0.1:8080
 * @param token where the API needs one
 */
export function streamsClient(url: string, token?: string): StreamsClient {
  const request = async <T>(method: string, path: string, options: RequestOptions = {}): Promise<T> => {
    const { body, headers = {} } = options;
    const address = `${url.replace(/\/+$/, '')}${path}`;
    let answer: { readonly response: Response; readonly text: string };
    try {
      const response = await fetch(address, {
        method,
        headers: { ...headers, ...bearer(token), ...(body !== undefined && { 'content-type': 'application/json' }) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(TIME_LIMIT_MS),
      });
      answer = { response, text: await response.text() };
    } catch (error) {
      throw new Fault(
        'API_UNREACHABLE',
        `no API answers at ${redactUrl(url)}: start one with stream-infer up, or say where it is with --api or STREAM_INFER_API`,
        { cause: error },
      );
    }
    const value = parsed(answer.text);
    if (answer.response.ok) return value as T;
    throw refusal(value, `${redactUrl(url)} answers ${answer.response.status} to ${method} ${path}`);
  };
  const path = (id: string): string => `/v1/streams/${encodeURIComponent(id)}`;
  return {
    async list() {
      return (await request<{ readonly streams: readonly StreamReport[] }>('GET', '/v1/streams')).streams;
    },
    get: (id) => request('GET', path(id)),
    add: (body, owner) => request('POST', `/v1/streams${query({ owner })}`, { body }),
    put: (body, { owner, revision, ifChanged }) =>
      request('PUT', `${path(body.id)}${query({ owner, ifChanged: ifChanged ? 'true' : undefined })}`, {
        body,
        headers: revision === undefined ? { 'if-none-match': '*' } : { 'if-match': `"${revision}"` },
      }),
    remove: (id, revision) =>
      request('DELETE', path(id), { headers: revision === undefined ? {} : { 'if-match': `"${revision}"` } }),
  };
}

type RequestOptions = { readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> };

function query(values: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
}

function parsed(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Codes of the API that are no faults' codes themselves. */
const CODES: Readonly<Record<string, FaultCode>> = {
  BAD_REQUEST: 'USAGE',
  UNAUTHORIZED: 'API_UNAUTHORIZED',
  FORBIDDEN: 'API_UNAUTHORIZED',
  BODY_TOO_LARGE: 'CONFIG_INVALID',
};

function refusal(value: unknown, otherwise: string): Fault {
  const { code, message } = (value as { error?: { code?: unknown; message?: unknown } } | undefined)?.error ?? {};
  if (typeof code !== 'string' || typeof message !== 'string') return new Fault('API_FAILED', otherwise);
  return new Fault(isFaultCode(code) && code !== 'INTERNAL' ? code : (CODES[code] ?? 'API_FAILED'), message);
}
