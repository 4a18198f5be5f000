/** A client of an API server: JSON over HTTPS, as an administrator. */

import { request } from 'node:https';
import type { PodSpec, WorkloadSpec } from './kubernetes-object.ts';

/** As it stands there; what it specifies and its status differ by kind, and are not known unless they are named. */
export type ApiObject<Spec = unknown, Status = unknown> = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly generation?: number;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
    readonly ownerReferences?: readonly { readonly kind: string; readonly name: string }[];
  };
  readonly spec: Spec;
  readonly status: Status;
  readonly data?: Readonly<Record<string, string>>;
};

export type ApiPod = ApiObject<
  PodSpec & { readonly nodeName?: string },
  { readonly conditions: readonly { readonly type: string; readonly status: string }[] }
>;

export type ApiWorkload = ApiObject<WorkloadSpec, { readonly readyReplicas?: number }>;

/** What the server says of a request that it refuses. */
export class KubernetesApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'KubernetesApiError';
    this.status = status;
  }
}

const PATCH = 'application/strategic-merge-patch+json';

export class KubernetesApi {
  readonly #url: string;
  readonly #token: string;
  readonly #ca: string;

  /** @param ca PEM of the certificates that the server's is verified by. */
  constructor(url: string, token: string, ca: string) {
    this.#url = url;
    this.#token = token;
    this.#ca = ca;
  }

  get<T = ApiObject>(path: string): Promise<T> {
    return this.#request<T>('GET', path);
  }

  async list<T = ApiObject>(path: string): Promise<readonly T[]> {
    return (await this.get<{ items: T[] }>(path)).items;
  }

  create<T = ApiObject>(path: string, object: object): Promise<T> {
    return this.#request('POST', path, object);
  }

  replace(path: string, object: object): Promise<ApiObject> {
    return this.#request('PUT', path, object);
  }

  /** @param type of the patch; lists of Kubernetes' own objects are merged by their keys. */
  patch(path: string, patch: object, type = PATCH): Promise<ApiObject> {
    return this.#request('PATCH', path, patch, type);
  }

  delete(path: string, options: object = {}): Promise<unknown> {
    return this.#request('DELETE', path, options);
  }

  #request<T>(method: string, path: string, body?: object, type = 'application/json'): Promise<T> {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? '' : JSON.stringify(body);
      // Of a DELETE Node.js would not tell the length, and the next request on the connection would begin with its body.
      const length = body === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(text) };
      const headers = { authorization: `Bearer ${this.#token}`, accept: 'application/json', ...length };
      const sent = request(`${this.#url}${path}`, { method, headers, ca: this.#ca }, (answer) => {
        let said = '';
        answer.setEncoding('utf8').on('data', (part: string) => {
          said += part;
        });
        answer.once('error', reject).once('end', () => {
          const { statusCode: status = 0 } = answer;
          if (status < 300) return resolve((said.startsWith('{') ? JSON.parse(said) : said) as T);
          reject(new KubernetesApiError(status, `${method} ${path}: ${status} ${said}`));
        });
      });
      sent.once('error', reject);
      sent.end(text);
    });
  }
}
