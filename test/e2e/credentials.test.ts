/**
 * No password of any source leaves the ingest (I8): not in the logs of the services, their metrics, what their HTTP servers and the API
 * answer, anything that stands on the bus, or the command lines of our own processes. Two exceptions, both told of in the README: ffmpeg and
 * ffprobe take a URL no other way than as an argument, and a URL that was itself registered stands in the registry (`streams`, `runs`).
 */

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onStatus, type SourceStatus } from '@stream-infer/bus/announcements';
import { type Bus, connectBus } from '@stream-infer/bus/bus';
import { openStreams } from '@stream-infer/bus/registry';
import type { StreamReport } from '@stream-infer/core/stream-report';
import type { StreamSpec } from '@stream-infer/core/stream-spec';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listen } from '../harness/collector.ts';
import { streamInfer } from '../harness/command.ts';
import { eventually } from '../harness/eventually.ts';
import { startNatsServer, type TestNatsServer } from '../harness/nats-server.ts';
import { type ServiceName, type ServiceProcess, startService } from '../harness/service-process.ts';
import { algorithm, streamSpec } from '../model/specs.ts';

const video = join(import.meta.dirname, '..', 'conformance', 'videos', 'counter30.mp4');
const NAMES: readonly ServiceName[] = ['ingest', 'scheduler', 'algo-runner', 'collector'];

/** Of each source its own, so that what leaks tells where it came from. `registered` is that of a URL in the registry. */
const SECRETS = {
  env: 'Kq7envSecret',
  file: 'Zx3file%40Secret',
  wrong: 'Wr0ngSecret',
  registered: 'Rg5urlSecret',
} as const;
type SecretName = keyof typeof SECRETS;
/** As it is, decoded, and as HTTP sends it. */
const formsOf = (name: SecretName): readonly string[] => {
  const plain = decodeURIComponent(SECRETS[name]);
  const basic = Buffer.from(`cam:${plain}`).toString('base64').replace(/=+$/, '');
  return [SECRETS[name], plain, encodeURIComponent(plain), basic];
};

/** Fails on every third window, and says what it was handed. */
const FLAKY = `
export default class Flaky {
  run(frames, context) {
    if (frames.at(-1).n % 3 === 0) throw new Error('no model for ' + JSON.stringify(context));
    return { n: frames.at(-1).n, context };
  }
}`;

let nats: TestNatsServer;
let bus: Bus;
let directory: string;
let api: string;
const services = new Map<ServiceName, ServiceProcess>();
const processLists: string[] = [];
/** What ingests announced, while sources are lost too. */
const announced: SourceStatus[] = [];
const camera = createServer((request, response) => {
  const given = Buffer.from((request.headers.authorization ?? '').replace('Basic ', ''), 'base64').toString();
  const isKnown = (['env', 'file', 'registered'] as const).some(
    (name) => given === `cam:${decodeURIComponent(SECRETS[name])}`,
  );
  if (!isKnown) {
    response.writeHead(401, { 'www-authenticate': 'Basic realm="camera"' }).end();
    return;
  }
  void readFile(video).then((bytes) => response.writeHead(200, { 'content-type': 'video/mp4' }).end(bytes));
});
const url = (name: SecretName): string =>
  `http://cam:${SECRETS[name]}@127.0.0.1:${(camera.address() as AddressInfo).port}/live.mp4?token=${SECRETS[name]}`;

const small = {
  width: 64,
  height: 36,
  algorithms: [algorithm({ definition: 'flaky', maxAttempts: 1, timeoutMs: 10_000 })],
};
const specOf = (id: string, from: Partial<StreamSpec>): StreamSpec => {
  const { source: _, ...spec } = streamSpec({ id, ...small });
  return { ...spec, ...from };
};

beforeAll(async () => {
  await new Promise<void>((resolve) => camera.listen(0, '127.0.0.1', resolve));
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-credentials-'));
  await writeFile(join(directory, 'flaky.mjs'), FLAKY);
  await writeFile(join(directory, 'source'), `${url('file')}\n`);
  const configuration = join(directory, 'algorithms.yaml');
  await writeFile(configuration, 'algorithms: [{name: flaky, use: ./flaky.mjs}]\n');
  nats = await startNatsServer();
  const environment = {
    NATS_URL: nats.url,
    STREAM_INFER_CONFIG: configuration,
    STORE_PATH: join(directory, 'results.sqlite'),
    LOG_LEVEL: 'trace',
  };
  // Who does not play sources is told of none.
  const urls = { ENV_URL: url('env'), WRONG_URL: url('wrong') };
  for (const name of NAMES)
    services.set(name, await startService(name, { ...environment, ...(name === 'ingest' && urls) }));
  api = services.get('collector')?.addresses.api ?? '';
  bus = await connectBus({ url: nats.url, prefix: 'stream-infer', name: 'credentials-test' });
  onStatus(bus, '*', (status) => void announced.push(status));
  const streams = await openStreams(bus);
  await streams.put('env', specOf('env', { sourceFrom: { env: 'ENV_URL' } }));
  await streams.put('file', specOf('file', { sourceFrom: { file: join(directory, 'source') } }));
  await streams.put('wrong', specOf('wrong', { sourceFrom: { env: 'WRONG_URL' } }));
  await streams.put('missing', specOf('missing', { sourceFrom: { env: 'NO_SUCH_URL' } }));
  await streams.put('registered', specOf('registered', { source: url('registered') }));
  await streams.put('live', specOf('live', { mode: 'realtime', sourceFrom: { env: 'ENV_URL' } }));
  const gone = url('registered').replace(/:\d+\//, ':1/');
  await streams.put('gone', specOf('gone', { mode: 'realtime', source: gone }));
  await streams.put('locked', specOf('locked', { mode: 'realtime', sourceFrom: { env: 'WRONG_URL' } }));
  await eventually(
    'each has come to its end, and the camera plays',
    async () => {
      processLists.push(await ourCommandLines());
      const all = await Promise.all(
        ['env', 'file', 'registered', 'wrong', 'missing'].map(async (id) => (await stateOf(id)).state),
      );
      const lost = await Promise.all(['gone', 'locked'].map(async (id) => (await stateOf(id)).source?.fault?.code));
      return (
        all.join() === 'ended,ended,ended,failed,failed' &&
        lost.join() === 'SOURCE_UNREACHABLE,SOURCE_UNAUTHORIZED' &&
        ((await stateOf('live')).results ?? 0) > 0
      );
    },
    60_000,
  );
});
afterAll(async () => {
  await Promise.all([...services.values()].map((service) => service.stop()));
  camera.closeAllConnections();
  camera.close();
  await bus?.close();
  await nats?.stop();
  if (directory) await rm(directory, { recursive: true, force: true });
});

const stateOf = async (id: string): Promise<Partial<StreamReport>> =>
  (await (await fetch(`${api}/v1/streams/${id}`)).json()) as Partial<StreamReport>;

/** Of every process that these services and this nats-server are, their descendants without ffmpeg among them. */
async function ourCommandLines(): Promise<string> {
  const own = new Set([...services.values()].map(({ process }) => process.pid).concat(nats.pid));
  const lines: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    const isFfmpeg = /^[^\0]*ff(mpeg|probe)\0/.test(line);
    if ((own.has(Number(pid)) || own.has(parent)) && !isFfmpeg) lines.push(line);
  }
  return lines.join('\n');
}

/** Each JetStream stream of the server with everything that stands in it. */
async function everythingOnTheBus(): Promise<ReadonlyMap<string, string>> {
  const held = new Map<string, string>();
  for await (const { config, state } of bus.manager.streams.list()) {
    let text = '';
    for (let seq = state.first_seq; seq <= state.last_seq; seq += 1) {
      const message = await bus.manager.streams.getMessage(config.name, { seq }).catch(() => undefined);
      if (message === undefined) continue;
      const header = message.header ? [...message.header].map(([name, values]) => `${name}: ${values}`).join('\n') : '';
      text += `${message.subject}\n${header}\n${new TextDecoder().decode(message.data)}\n`;
    }
    held.set(config.name, text);
  }
  return held;
}

const ALL = Object.keys(SECRETS) as SecretName[];
/** Names of the secrets that the text holds. */
const leaked = (text: string, names: readonly SecretName[] = ALL): readonly SecretName[] =>
  names.filter((name) => formsOf(name).some((form) => text.includes(form)));

describe('no password of any source is', () => {
  test('in a log, at the most talkative level', () => {
    for (const [name, service] of services) {
      expect(service.log(), name).toContain('"msg":"started"');
      expect(leaked(service.log()), name).toEqual([]);
    }
    // It is told of what failed all the same.
    expect(services.get('ingest')?.log()).toMatch(/SOURCE_UNAUTHORIZED.*WRONG_URL/);
  });

  test.each(NAMES)('in what the HTTP server of the %s answers', async (name) => {
    for (const path of ['/metrics', '/v2/health/live', '/v2/health/ready', '/debug/ledger']) {
      const answer = await fetch(`${services.get(name)?.addresses.http}${path}`);
      expect(leaked(await answer.text()), path).toEqual([]);
    }
  });

  test('in what the API answers, events and refusals among them', async () => {
    const { paths } = (await (await fetch(`${api}/openapi.json`)).json()) as { paths: Record<string, object> };
    const gets = Object.keys(paths).filter((path) => Object.hasOwn(paths[path] ?? {}, 'get'));
    const ids = ['env', 'file', 'wrong', 'missing', 'registered', 'live', 'gone', 'locked'];
    let asked = '';
    for (const path of gets.filter((each) => !each.includes('events')))
      for (const id of path.includes('{id}') ? ids : ['']) {
        const answer = await fetch(`${api}${path.replace('{id}', id)}`);
        asked += `${path} ${id} ${await answer.text()}\n`;
      }
    const client = await listen(`${api}/v1/events?after=0`);
    await eventually('events', () => client.events.length > 20);
    await client.close();
    asked += JSON.stringify(client.events);
    expect(asked).toContain('SOURCE_UNAUTHORIZED');
    expect(leaked(asked)).toEqual([]);
    const refused = await fetch(`${api}/v1/streams`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ id: 'bad', source: url('registered'), nonsense: 1 }),
    });
    expect([refused.status, leaked(await refused.text())]).toEqual([400, []]);
  });

  test('on the bus: no bucket, result, dead letter or frame, but a URL that was registered', async () => {
    const held = await everythingOnTheBus();
    const { resultsStream, deadLettersStream, buckets } = bus.topology;
    expect(held.get(resultsStream)).toContain('SOURCE_UNAUTHORIZED');
    expect(held.get(deadLettersStream)).toContain('no model for');
    for (const [name, text] of held) {
      const isRegistry = [buckets.streams, buckets.runs].some((bucket) => name === `KV_${bucket}`);
      expect(leaked(text), name).toEqual(isRegistry ? ['registered'] : []);
    }
  });

  test('in what ingests announce, of sources that are lost too', () => {
    const told = JSON.stringify(announced);
    for (const code of ['SOURCE_UNREACHABLE', 'SOURCE_UNAUTHORIZED']) expect(told).toContain(code);
    expect(leaked(told)).toEqual([]);
  });

  test('on a command line of ours, while sources are opened and played', () => {
    expect(processLists.join('\n')).toContain('main.ts');
    expect(leaked(processLists.join('\n'))).toEqual([]);
  });

  test('in what the command prints of streams and of dead letters', async () => {
    const environment = { STREAM_INFER_API: api, NATS_URL: nats.url, NATS_PREFIX: undefined };
    for (const args of [
      ['streams', 'list'],
      ['streams', 'list', '--json'],
      ['streams', 'show', 'registered'],
      ['streams', 'show', 'gone'],
      ['streams', 'show', 'locked'],
      ['dead-letters', 'list', '--json'],
      ['dead-letters', 'show', '1'],
    ]) {
      const { stdout, stderr } = await streamInfer(args, { environment });
      expect(leaked(stdout + stderr), args.join(' ')).toEqual([]);
      expect(stdout, args.join(' ')).not.toBe('');
    }
  });

  test('in the store', async () => {
    for (const name of (await readdir(directory)).filter((each) => each.startsWith('results.sqlite')))
      expect(leaked(await readFile(join(directory, name), 'latin1')), name).toEqual([]);
  });
});

test('why a camera is away, and when it is tried again, is shown with it', async () => {
  const shown = async (id: string): Promise<string> =>
    (await streamInfer(['streams', 'show', id], { environment: { STREAM_INFER_API: api } })).stdout;
  expect(await shown('locked')).toMatch(/^state +reconnecting, unauthorized$/m);
  expect(await shown('locked')).toMatch(
    /^lost by +SOURCE_UNAUTHORIZED: .*WRONG_URL.*\nnext try +in (\d+ s|1 min \d\d s)$/m,
  );
  expect(await shown('gone')).toMatch(/^lost by +SOURCE_UNREACHABLE: http:\/\/\*\*\*@127\.0\.0\.1:1\/live\.mp4/m);
});
