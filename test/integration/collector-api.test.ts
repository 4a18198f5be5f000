/** The API of the collector, called as its OpenAPI document says and answering what it says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Bus, connectBus } from '@stream-infer/bus/bus';
import { ensureResultStream } from '@stream-infer/bus/result-stream';
import { canonicalJson } from '@stream-infer/core/canonical-json';
import type { ResultRecord } from '@stream-infer/core/result-record';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { API_ERRORS } from '../../services/collector/src/api-error.ts';
import {
  ended,
  listen,
  publishEnd,
  type StreamAnswer,
  seriesPublisher,
  startCollector,
  type TestCollector,
  testRecord,
} from '../harness/collector.ts';
import { eventually } from '../harness/eventually.ts';
import { startNatsServer, type TestNatsServer } from '../harness/nats-server.ts';
import { root } from '../harness/programs.ts';
import { describeStores, type TestStore } from '../harness/stores.ts';

type Parameter = { readonly name: string; readonly in: 'path' | 'query' | 'header'; readonly schema: { type: string } };
type Operation = {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: object;
  readonly responses: Readonly<Record<string, { content: Readonly<Record<string, unknown>> }>>;
};
type OpenApi = {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
};
type Request = { readonly method: string; readonly path: string; readonly operation: Operation };

const RESULTS = 25;
const FAILED = { error: { code: 'ALGORITHM_FAILED', message: 'it threw' } } as const;

describeStores(({ create }) => {
  let server: TestNatsServer;
  let bus: Bus;
  let store: TestStore;
  let collector: TestCollector;
  let document: OpenApi;

  beforeAll(async () => {
    server = await startNatsServer();
    store = await create();
    bus = await connectBus({ url: server.url, prefix: 'stream-infer', name: 'collector-api-test' });
    await ensureResultStream(bus, { maxBytes: 1 << 26 });
    collector = await startCollector({ NATS_URL: server.url, ...store.environment });
    await publish('cam', 'r1');
    await publish('gone', 'r1');
    await ended(collector, 'gone');
    document = await collector.get<OpenApi>('/openapi.json');
  });
  afterAll(async () => {
    await collector?.stop();
    await bus?.close();
    await server?.stop();
    await store?.remove();
  });

  /** Two series, the one later than the other, with errors and data that a JavaScript object would put in another order. */
  async function publish(stream: string, run: string): Promise<void> {
    for (const algorithm of ['stats', 'faces']) {
      const place = { stream, run, algorithm };
      const records = Array.from({ length: RESULTS }, (_, index) => {
        const n = index + 1;
        return testRecord(place, n, n % 10 === 0 ? FAILED : { data: { '10': n, '9': [1e21, -0.5, 'é\u2028'] } });
      });
      await seriesPublisher(bus, place)(...records);
    }
    await publishEnd(bus, stream, run);
  }

  const operations = (): Request[] =>
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
    );

  const fill = (path: string, stream: string): string => path.replace('{id}', stream);

  const send = ({ method, path }: Request, stream: string, query = '', headers: Record<string, string> = {}) =>
    fetch(`${collector.addresses.api}${fill(path, stream)}${query}`, {
      method: method.toUpperCase(),
      headers,
      signal: AbortSignal.timeout(20_000),
    });

  /** Fails unless the document has this answer and its schema takes it. */
  async function validated(request: Request, response: Response): Promise<void> {
    const type = response.headers.get('content-type')?.split(';')[0] ?? '';
    const content = request.operation.responses[String(response.status)]?.content[type];
    expect(content, `${request.operation.operationId} documents ${response.status} ${type}`).toBeDefined();
    const pointer = [
      'paths',
      request.path,
      request.method,
      'responses',
      String(response.status),
      'content',
      type,
      'schema',
    ]
      .map((step) => step.replaceAll('~', '~0').replaceAll('/', '~1'))
      .join('/');
    const validate = new Ajv2020({ strict: false, allErrors: true })
      .addSchema(document, 'api')
      .compile({ $ref: `api#/${pointer}` });
    const body = await response.text();
    const values = type === 'application/x-ndjson' ? body.trim().split('\n') : [body];
    for (const value of values) {
      validate(JSON.parse(value));
      expect(validate.errors, `${request.operation.operationId}: ${value.slice(0, 200)}`).toBeNull();
    }
  }

  describe('the OpenAPI document', () => {
    test('is of version 3.1 and has the paths of the API', () => {
      expect(document.openapi).toBe('3.1.0');
      expect(operations().map(({ method, path }) => `${method} ${path}`)).toEqual([
        'get /v1/streams',
        'post /v1/streams',
        'get /v1/streams/{id}',
        'put /v1/streams/{id}',
        'delete /v1/streams/{id}',
        'get /v1/streams/{id}/runs',
        'get /v1/streams/{id}/results',
        'delete /v1/streams/{id}/results',
        'get /v1/streams/{id}/results/last',
        'get /v1/streams/{id}/records',
        'get /v1/events',
      ]);
      expect(new Set(operations().map(({ operation }) => operation.operationId)).size).toBe(operations().length);
    });

    test('tells the truth of every path and method, for every type that it documents', async () => {
      // What takes a body is sent one in streams-api.test.ts.
      for (const request of operations().filter(({ operation }) => operation.requestBody === undefined)) {
        for (const type of Object.keys(request.operation.responses['200']?.content ?? {})) {
          // What is deleted here belongs to a stream that no other test looks at.
          const response = await send(request, request.method === 'delete' ? 'gone' : 'cam', '', { accept: type });
          expectStatus(request, response, 200);
          expect(response.headers.get('content-type')).toContain(type);
          if (type === 'text/event-stream') await response.body?.cancel();
          else await validated(request, response);
        }
      }
    });

    test('tells the truth of what is refused and of what is not there', async () => {
      for (const request of operations()) {
        const { responses, parameters = [] } = request.operation;
        const refused = [await send(request, 'cam', '?nonsense=1')];
        if (responses['404']) refused.push(await send(request, 'unknown'));
        if (parameters.some(({ name }) => name === 'run')) refused.push(await send(request, 'cam', '?run=unknown'));
        for (const [index, response] of refused.entries()) {
          expectStatus(request, response, index === 0 ? 400 : 404);
          await validated(request, response);
        }
      }
    });

    test('has the shapes of what events hold', async () => {
      const client = await listen(`${collector.addresses.api}/v1/events?stream=cam&after=0`);
      await eventually('all events', () => client.events.length === 2 * RESULTS + 1);
      await client.close();
      const ajv = new Ajv2020({ strict: false }).addSchema(document, 'api');
      for (const { event, data } of client.events) {
        const validate = ajv.compile({
          $ref: `api#/components/schemas/${event === 'result' ? 'ResultRecord' : 'RunEnd'}`,
        });
        validate(data);
        expect(validate.errors).toBeNull();
      }
      expect(client.events.at(-1)?.event).toBe('end');
    });

    test('has each parameter refused by its name where the value cannot be', async () => {
      const expectRefusal = async (request: Request, { name, in: place }: Parameter): Promise<void> => {
        const query = place === 'query' ? `?${name}=!` : '';
        const headers = place === 'header' ? { [name]: '!' } : undefined;
        const response = await send(request, place === 'path' ? '!' : 'cam', query, headers);
        expectStatus(request, response, 400);
        const { error } = (await response.json()) as { error: { code: string; message: string } };
        expect(`${error.code}: ${error.message}`).toMatch(new RegExp(`^BAD_REQUEST: (?!.*pattern).* ${name} must `));
      };
      for (const request of operations())
        for (const parameter of request.operation.parameters ?? []) await expectRefusal(request, parameter);
    });

    function expectStatus({ operation }: Request, response: Response, status: number): void {
      expect(`${operation.operationId} ${response.status}`).toBe(`${operation.operationId} ${status}`);
    }
  });

  describe('the aggregate', () => {
    const member = (n: number): string =>
      n % 10 === 0
        ? `"${n / 10}":{"$error":{"code":"ALGORITHM_FAILED","message":"it threw"}}`
        : `"${n / 10}":{"10":${n},"9":[1e+21,-0.5,"é\u2028"]}`;
    const members = (from: number, to: number): string =>
      Array.from({ length: to - from + 1 }, (_, index) => member(from + index)).join(',');

    test('is canonical JSON: algorithms sorted, time keys ascending as numbers (R-7)', async () => {
      const expected = `{"faces":{${members(1, RESULTS)}},"stats":{${members(1, RESULTS)}}}`;
      expect(await collector.text('/v1/streams/cam/results')).toBe(expected);
    });

    test('takes from and leaves out to, and has no algorithm without a result there', async () => {
      const range = (query: string): Promise<string> =>
        collector.text(`/v1/streams/cam/results?algorithm=faces&${query}`);
      expect(await range('from=0.5&to=0.8')).toBe(`{"faces":{${members(5, 7)}}}`);
      expect(await range('from=0.4001&to=0.8001')).toBe(`{"faces":{${members(5, 8)}}}`);
      expect(await range('from=2.3')).toBe(`{"faces":{${members(23, 25)}}}`);
      expect(await range('to=0.2')).toBe(`{"faces":{${members(1, 1)}}}`);
      expect(await range('from=1&to=1')).toBe('{}');
      expect(await range('from=99')).toBe('{}');
      expect(await collector.text('/v1/streams/cam/results?algorithm=nobody')).toBe('{}');
      const reversed = await fetch(`${collector.addresses.api}/v1/streams/cam/results?from=2&to=1`);
      expect([reversed.status, await reversed.text()]).toEqual([
        400,
        expect.stringContaining(' to must not be before from'),
      ]);
    });
  });

  describe('records', () => {
    const expected = Array.from({ length: RESULTS }, (_, index) => [`${index + 1}.faces`, `${index + 1}.stats`]).flat();
    const place = ({ n, algorithm }: ResultRecord): string => `${n}.${algorithm}`;

    test('come by n, then algorithm, in pages that join without a seam', async () => {
      const seen: string[] = [];
      for (let cursor: string | null = ''; cursor !== null; ) {
        const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
        const page: { cursor: string | null; records: ResultRecord[] } = await collector.get(
          `/v1/streams/cam/records?limit=7${query}`,
        );
        expect(page.records.length).toBeLessThanOrEqual(7);
        seen.push(...page.records.map(place));
        cursor = page.cursor;
      }
      expect(seen).toEqual(expected);
    });

    test('come all at once as NDJSON, each line the record as it was published', async () => {
      const ndjson = (query = ''): Promise<string> =>
        collector.text(`/v1/streams/cam/records${query}`, { accept: 'application/x-ndjson' });
      const lines = (await ndjson()).trimEnd().split('\n');
      expect(lines.map((line) => place(JSON.parse(line) as ResultRecord))).toEqual(expected);
      for (const line of lines) expect(line).toBe(canonicalJson(JSON.parse(line)));
      expect((await ndjson('?algorithm=stats&cursor=20.stats&limit=3')).trimEnd().split('\n')).toHaveLength(3);
      expect(await ndjson('?algorithm=nobody')).toBe('');
    });

    test('the last of each algorithm are those of the newest frames', async () => {
      const last = await collector.get<Record<string, ResultRecord>>('/v1/streams/cam/results/last');
      expect(Object.values(last).map(place)).toEqual(['25.faces', '25.stats']);
      const one = await collector.get<Record<string, ResultRecord>>('/v1/streams/cam/results/last?algorithm=stats');
      expect(Object.keys(one)).toEqual(['stats']);
    });
  });

  describe('clearing', () => {
    const clear = async (query: string): Promise<unknown> =>
      (await fetch(`${collector.addresses.api}/v1/streams/wiped/results${query}`, { method: 'DELETE' })).json();

    test('removes what is stored, of one algorithm, of one run or of all, and nothing that comes after', async () => {
      await publish('wiped', 'r1');
      await publish('wiped', 'r2');
      const summary = async (run: string): Promise<number> =>
        (await collector.get<StreamAnswer>(`/v1/streams/wiped?run=${run}`)).results;
      await eventually('both runs', async () => (await collector.get<StreamAnswer>('/v1/streams/wiped?run=r2')).end);
      expect(await clear('?run=r1&algorithm=faces')).toEqual({ removed: RESULTS });
      expect([await summary('r1'), await summary('r2')]).toEqual([RESULTS, 2 * RESULTS]);
      expect(await clear('?algorithm=faces')).toEqual({ removed: RESULTS });
      expect(await clear('')).toEqual({ removed: 2 * RESULTS });
      expect(await collector.get<StreamAnswer>('/v1/streams/wiped')).toMatchObject({
        run: 'r2',
        results: 0,
        errors: 0,
      });
      expect(await collector.text('/v1/streams/wiped/results')).toBe('{}');
      const late = { stream: 'wiped', run: 'r2', algorithm: 'late' };
      await seriesPublisher(bus, late)(testRecord(late, 26));
      await eventually('a result after the clear', async () => (await summary('r2')) === 1);
      expect(await collector.metric('stream_infer_removed_results_total', 'clear')).toBeGreaterThanOrEqual(4 * RESULTS);
    });
  });
});

test('docs/api.md has every code of an error', () => {
  const text = readFileSync(join(root, 'docs', 'api.md'), 'utf8');
  for (const [code, { status, description }] of Object.entries(API_ERRORS))
    expect(text).toContain(`| \`${code}\` | ${status} | ${description} |`);
});
