/** Who may use the API of a collector with tokens, and what is noted of it, over HTTP and by the command. */

import { createHash, randomBytes } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { streamInfer } from '../harness/command.ts';
import { eventually } from '../harness/eventually.ts';
import { type ApiAnswer, LOBBY, type StreamsApi, startStreamsApi } from '../harness/streams-api.ts';

const file = join(tmpdir(), `stream-infer-tokens-${process.pid}`);
const lines: string[] = [];

let api: StreamsApi;
let ops: string;
let grafana: string;

function newToken(name: string, role: string): string {
  const token = randomBytes(32).toString('hex');
  lines.push(`${name} ${role} ${createHash('sha256').update(token).digest('hex')}`);
  return token;
}

beforeAll(async () => {
  // As an operator does: the line into the file, the token into a pocket.
  const { stdout, stderr } = await streamInfer(['token', 'ops', '--role', 'operate']);
  lines.push(stdout.trim());
  ops = /: (si_\S{43})$/.exec(stderr.trim())?.[1] ?? '';
  grafana = newToken('grafana', 'read');
  await writeFile(file, lines.join('\n'));
  api = await startStreamsApi({ API_TOKENS_FILE: file });
});
afterAll(async () => {
  await api?.stop();
  await rm(file, { force: true });
});

const as = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
const send = (method: string, path: string, token?: string, body?: unknown): Promise<ApiAnswer> =>
  api.send(method, path, body, token === undefined ? {} : as(token));
const challenge = async (path: string, init: RequestInit): Promise<string | null> =>
  (await fetch(`${api.collector.addresses.api}${path}`, init)).headers.get('www-authenticate');

type AuditLine = Readonly<Record<string, unknown>>;
const audits = (): AuditLine[] =>
  api.collector
    .log()
    .split('\n')
    .filter((line) => line.includes('"audit":true'))
    .map((line) => JSON.parse(line) as AuditLine);

describe('without a token that is known', () => {
  test.each([
    ['GET', '/v1/streams'],
    ['GET', '/v1/streams/lobby/results'],
    ['GET', '/v1/events'],
    ['GET', '/openapi.json'],
    ['GET', '/nowhere'],
    ['POST', '/v1/streams'],
    ['PUT', '/v1/streams/lobby'],
    ['DELETE', '/v1/streams/lobby'],
    ['DELETE', '/v1/streams/lobby/results'],
  ])('%s %s is refused with 401', async (method, path) => {
    for (const token of [undefined, 'wrong', `${ops}x`, ops.slice(0, -1)]) {
      const { status, body } = await send(method, path, token);
      expect([status, body.error.code]).toEqual([401, 'UNAUTHORIZED']);
    }
  });

  test('the answer says what is wanted; health and metrics need nothing', async () => {
    expect(await challenge('/v1/streams', {})).toBe('Bearer realm="stream-infer"');
    expect(await challenge('/v1/streams', { headers: as('wrong') })).toBe(
      'Bearer realm="stream-infer", error="invalid_token"',
    );
    expect(await challenge('/v1/streams', { headers: { authorization: `Basic ${ops}` } })).toContain('invalid_token');
    const { http } = api.collector.addresses;
    for (const path of ['/v2/health/ready', '/metrics']) expect((await fetch(`${http}${path}`)).status).toBe(200);
  });
});

test('a token to read reads, and changes nothing: 403 with the role that is wanted', async () => {
  expect((await send('GET', '/v1/streams', grafana)).status).toBe(200);
  const answers = [
    await send('POST', '/v1/streams', grafana, LOBBY),
    await send('PUT', '/v1/streams/lobby', grafana, LOBBY),
    await send('DELETE', '/v1/streams/lobby', grafana),
    await send('DELETE', '/v1/streams/lobby/results', grafana),
  ];
  for (const { status, body } of answers)
    expect([status, body.error.code, body.error.message]).toEqual([
      403,
      'FORBIDDEN',
      expect.stringMatching(/^(?:POST|PUT|DELETE) needs a token with the role operate, and that of grafana has read$/),
    ]);
  expect(await challenge('/v1/streams/lobby', { method: 'DELETE', headers: as(grafana) })).toBe(
    'Bearer realm="stream-infer", error="insufficient_scope", scope="operate"',
  );
  expect((await send('GET', '/v1/streams/lobby', ops)).status).toBe(404);
});

test('each change is noted: who, what, the revisions before and after, and what became of it; never a token', async () => {
  const noted = audits().length;
  const added = await send('POST', '/v1/streams', ops, { ...LOBBY, id: 'yard' });
  const changed = await send('PUT', '/v1/streams/yard?owner=site', ops, { ...LOBBY, id: 'yard', fps: 5 });
  await send('DELETE', '/v1/streams/yard', grafana);
  await send('PUT', '/v1/streams/yard', ops, { fps: 5 });
  await send('DELETE', '/v1/streams/yard', ops);
  await send('DELETE', '/v1/streams/yard', 'wrong');
  const revision = ({ etag }: ApiAnswer): number => Number(etag.replaceAll('"', ''));
  const lines = await eventually('the notes', () => audits().length === noted + 5 && audits().slice(noted));
  const ours = { level: 'info', audit: true, from: '127.0.0.1', msg: 'a change over the API' };
  expect(lines).toMatchObject([
    {
      ...ours,
      ...{ who: 'ops', action: 'addStream', stream: 'yard', outcome: 'done' },
      ...{ revisionBefore: null, revisionAfter: revision(added) },
    },
    {
      ...ours,
      ...{ who: 'ops', action: 'putStream', stream: 'yard', owner: 'site', outcome: 'done' },
      ...{ revisionBefore: revision(added), revisionAfter: revision(changed) },
    },
    { ...ours, who: 'grafana', action: 'removeStream', stream: 'yard', outcome: 'refused', refusal: 'FORBIDDEN' },
    { ...ours, who: 'ops', action: 'putStream', stream: 'yard', outcome: 'refused', refusal: 'CONFIG_INVALID' },
    {
      ...ours,
      ...{ who: 'ops', action: 'removeStream', stream: 'yard', outcome: 'done' },
      ...{ revisionBefore: revision(changed), revisionAfter: null },
    },
  ]);
  const metrics = await (await fetch(`${api.collector.addresses.http}/metrics`)).text();
  expect(metrics).toMatch(/stream_infer_api_changes_total\{[^}]*action="addStream",outcome="done"[^}]*\} 1/);
  for (const token of [ops, grafana]) expect(api.collector.log() + metrics).not.toContain(token);
});

test('what is changed for a client that is gone before its answer is noted all the same', async () => {
  await send('POST', '/v1/streams', ops, { ...LOBBY, id: 'shed' });
  const noted = audits().length;
  const { hostname, port } = new URL(api.collector.addresses.api ?? '');
  const request = `DELETE /v1/streams/shed HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer ${ops}\r\n\r\n`;
  const socket = connect(Number(port), hostname, () => socket.write(request, () => socket.resetAndDestroy()));
  await eventually('it is removed', async () => (await send('GET', '/v1/streams/shed', ops)).status === 404);
  const [line] = await eventually('it is noted', () => {
    const found = audits().slice(noted);
    return found.length > 0 ? found : undefined;
  });
  expect(line).toMatchObject({ who: 'ops', stream: 'shed', outcome: 'done', revisionAfter: null });
});

test('the document says that a token is wanted', async () => {
  const { body } = await send('GET', '/openapi.json', grafana);
  const document = body as unknown as {
    security: unknown;
    components: { securitySchemes: unknown };
    paths: Record<string, Record<string, { responses: object }>>;
  };
  expect(document.security).toEqual([{ token: [] }]);
  expect(document.components.securitySchemes).toEqual({ token: { type: 'http', scheme: 'bearer' } });
  for (const path of Object.values(document.paths))
    for (const { responses } of Object.values(path))
      expect(Object.keys(responses)).toEqual(expect.arrayContaining(['401', '403']));
});

test('the command comes with its token, out of a file or its environment', async () => {
  const tokenFile = `${file}.ops`;
  await writeFile(tokenFile, `${ops}\n`);
  const environment = { STREAM_INFER_API: api.collector.addresses.api };
  const streams = (args: string[], more: Record<string, string> = {}) =>
    streamInfer(['streams', ...args], { environment: { ...environment, ...more } });
  expect(await streams(['add', 'pier', '/videos/pier.mp4', '--token-file', tokenFile])).toMatchObject({ status: 0 });
  expect(await streams(['list', '--json'], { STREAM_INFER_TOKEN: grafana })).toMatchObject({ status: 0 });
  expect(await streams(['remove', 'pier'], { STREAM_INFER_TOKEN: grafana })).toEqual({
    status: 4,
    stdout: '',
    stderr: 'API_UNAUTHORIZED: DELETE needs a token with the role operate, and that of grafana has read\n',
  });
  const nobody = await streams(['list']);
  expect([nobody.status, nobody.stderr]).toEqual([
    4,
    expect.stringMatching(/^API_UNAUTHORIZED: the API needs a token/),
  ]);
  await rm(tokenFile);
});

test('the file is read again when it changes: who left is refused, and hears no more events', async () => {
  const replace = async (text: string): Promise<void> => {
    // As a mounted Secret changes: at once.
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
  };
  const listening = await fetch(`${api.collector.addresses.api}/v1/events`, { headers: as(grafana) });
  const heard = listening.text();
  const fresh = newToken('fresh', 'read');
  await replace([lines[0], lines.at(-1)].join('\n'));
  await eventually('the new one is let in', async () => (await send('GET', '/v1/streams', fresh)).status === 200);
  expect((await send('GET', '/v1/streams', grafana)).status).toBe(401);
  expect(await heard).toContain('retry:');

  await replace('nonsense');
  await eventually('the fault is told', () => api.collector.log().includes('CREDENTIALS_INVALID'));
  expect((await send('GET', '/v1/streams', fresh)).status).toBe(200);
});

test('a collector does not start with a file that holds no token', async () => {
  await writeFile(file, '# none yet\n');
  await expect(startStreamsApi({ API_TOKENS_FILE: file })).rejects.toThrow(
    /ended with 2.*CREDENTIALS_INVALID.*has no token/,
  );
});
