/** Whatever is sent where a stream is expected: what breaks the schema of the document is refused, and leaves nothing behind. */

import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LOBBY, type StreamsApi, startStreamsApi } from '../harness/streams-api.ts';

type Schema = { readonly properties?: Readonly<Record<string, unknown>>; readonly required?: readonly string[] };
type Operation = { readonly requestBody?: { content: { 'application/json': { schema: { $ref: string } } } } };
type Document = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
};
/** An operation that takes a body. */
type Target = {
  readonly method: string;
  readonly path: string;
  readonly schema: Schema;
  readonly isValid: ValidateFunction;
};

let api: StreamsApi;
let targets: readonly Target[];
let isError: ValidateFunction;

beforeAll(async () => {
  api = await startStreamsApi();
  const document = await api.collector.get<Document>('/openapi.json');
  const ajv = new Ajv2020({ strict: false }).addSchema(document, 'api');
  isError = ajv.compile({ $ref: 'api#/components/schemas/Error' });
  targets = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { requestBody }]) => {
      const $ref = requestBody?.content['application/json'].schema.$ref;
      if ($ref === undefined) return [];
      const schema = document.components.schemas[$ref.split('/').at(-1) ?? ''] ?? {};
      return [{ method, path, schema, isValid: ajv.compile({ $ref: `api${$ref}` }) }];
    }),
  );
});
afterAll(() => api?.stop());

/** Printed; given as STREAM_INFER_SEED it repeats the run. */
const seed = Number(process.env.STREAM_INFER_SEED ?? Math.floor(Math.random() * 2 ** 31));
console.info(`STREAM_INFER_SEED=${seed}`);

const WRONG = [null, true, -1, 0.5, 1e300, '', '\u0000', 'x'.repeat(999), [], [[]], {}, { a: 1 }];

/** Sends the body unless it is one that may be taken; what is sent must be refused. */
async function mustBeRefused({ method, path, isValid }: Target, value: unknown): Promise<void> {
  const body: unknown = JSON.parse(JSON.stringify(value));
  // In a PUT the path stands in for an id that is left out.
  if (isValid(body) || (method === 'put' && isValid({ id: 'lobby', ...Object(body) }))) return;
  const { status, body: answer } = await api.send(method.toUpperCase(), path.replace('{id}', 'lobby'), body);
  expect({ status, error: isError(answer) }, JSON.stringify(body)).toEqual({ status: 400, error: true });
}

test('the document tells of two operations that take a stream, and of the keys of one', () => {
  expect(targets.map(({ method, path }) => `${method} ${path}`)).toEqual(['post /v1/streams', 'put /v1/streams/{id}']);
  for (const { schema } of targets) expect(Object.keys(schema.properties ?? {})).toContain('sourceFrom');
});

test('each key with each kind of wrong value, an unknown key and a missing one get 400 and an error of the document', async () => {
  for (const target of targets) {
    for (const key of [...Object.keys(target.schema.properties ?? {}), 'nonsense'])
      for (const value of WRONG) await mustBeRefused(target, { ...LOBBY, [key]: value });
    for (const key of target.schema.required ?? []) await mustBeRefused(target, { ...LOBBY, [key]: undefined });
  }
  expect(await api.streams.entries()).toEqual([]);
});

test('so does any JSON, and any JSON under any key', async () => {
  for (const target of targets) {
    const keys = fc.constantFrom(...Object.keys(target.schema.properties ?? {}));
    const bodies = fc.oneof(
      fc.jsonValue(),
      fc.dictionary(keys, fc.jsonValue()).map((values) => ({ ...LOBBY, ...values })),
    );
    await fc.assert(
      fc.asyncProperty(bodies, (body) => mustBeRefused(target, body)),
      { seed, numRuns: 150 },
    );
  }
  expect(await api.streams.entries()).toEqual([]);
});

test('what the schema takes is registered or refused with a reason, and is never a defect', async () => {
  const values = fc.record({
    id: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/),
    source: fc.string({ minLength: 1 }).map((text) => `/${text}`),
    fps: fc.oneof(fc.double({ min: 0, noNaN: true }), fc.bigInt().map(String)),
    width: fc.integer({ min: 1, max: 16384 }),
    height: fc.integer({ min: 1, max: 16384 }),
    position: fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.string()),
    algorithms: fc.array(
      fc.record({
        name: fc.constantFrom('faces', 'picture'),
        as: fc.stringMatching(/^[A-Za-z0-9]{1,8}$/),
        frameCount: fc.integer({ min: 1, max: 1024 }),
        frameStep: fc.nat(),
        interval: fc.double({ min: 0, noNaN: true }),
      }),
      { minLength: 1, maxLength: 3 },
    ),
  });
  await fc.assert(
    fc.asyncProperty(values, async (body) => {
      const { status, body: answer } = await api.send('POST', '/v1/streams', body);
      if (status !== 201)
        expect({ status, error: isError(answer) }, JSON.stringify(answer)).toEqual({ status: 400, error: true });
      else await api.streams.delete(body.id);
    }),
    { seed, numRuns: 150 },
  );
});

test('every refusal is counted by its code, and none was a defect', async () => {
  const errors = (code: string): Promise<number> =>
    api.collector.metric('stream_infer_api_errors_total', `code="${code}"`);
  expect(await errors('CONFIG_INVALID')).toBeGreaterThan(100);
  expect(await errors('INTERNAL')).toBe(0);
});
