/**
 * Dashboards and alerts against a real Prometheus that scrapes the real services under load: every query of a panel gives data, every alert fires
 * when its fault is made, the number that shows it moves, and all is quiet before and after. Durations of rules are a fifteenth of what they are.
 */

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectBus } from '@stream-infer/bus/bus';
import { createFrameBuffer } from '@stream-infer/bus/frame-stream';
import { afterAll, beforeAll, expect, onTestFailed, test, vi } from 'vitest';
import { DASHBOARDS } from '../../scripts/monitoring/dashboards.ts';
import { drawDashboards } from '../../scripts/monitoring/draw.ts';
import { filledQuery } from '../../scripts/monitoring/filled-query.ts';
import { eventually } from '../harness/eventually.ts';
import { freePorts } from '../harness/free-ports.ts';
import { BUS_MEMORY_BYTES, MonitoredSite } from '../harness/monitored-site.ts';
import { ALERTS, hasPrometheus, hurried, RULES_FILE } from '../harness/prometheus.ts';
import { hasRtspServer } from '../harness/rtsp-server.ts';
import { type SchedulerHere, startSchedulerHere } from '../harness/scheduler-here.ts';
import { startIngest } from '../harness/scripted-ingest.ts';
import { startRunner } from '../harness/scripted-runner.ts';
import { withheld } from '../harness/withheld-fate.ts';
import { algorithm, sourceFacts, streamSpec } from '../model/specs.ts';

const TIMES = 15;
const LIMIT_MS = 150_000;
const BLIND = 'StreamInferScalerBlind';
const beganAt = Date.now() / 1_000;

let site: MonitoredSite;
/** An installation of its own, whose ledger is made not to add up. */
let ledger: { readonly scheduler: SchedulerHere; readonly fate: ReturnType<typeof withheld> } | undefined;
let ledgerPort = 0;

beforeAll(async () => {
  [ledgerPort = 0] = await freePorts(1);
  // A process takes its time to start, which cannot be hurried.
  const rules = readFileSync(RULES_FILE, 'utf8').replaceAll('[15m]', '[45m]');
  site = await MonitoredSite.start(hurried(rules, TIMES), [
    { port: ledgerPort, labels: { namespace: 'vision', prefix: 'ledger' } },
  ]);
  await site.addStreams();
}, 300_000);
afterAll(async () => {
  vi.restoreAllMocks();
  await ledger?.scheduler.stop();
  await site?.stop();
});

/** Each was seen to fire, not all at the same time. */
async function fired(...alerts: readonly string[]): Promise<void> {
  const seen = new Set<string>();
  await eventually(
    `${alerts.join(', ')} fire`,
    async () => {
      for (const alert of await site.prometheus.firing()) seen.add(alert);
      return alerts.every((alert) => seen.has(alert));
    },
    LIMIT_MS,
  ).catch((error: unknown) => {
    throw new Error(`these do not fire: ${alerts.filter((alert) => !seen.has(alert)).join(', ')}`, { cause: error });
  });
}

const quiet = (limitMs = LIMIT_MS): Promise<unknown> =>
  eventually('no alert fires', async () => (await site.prometheus.firing()).length === 0, limitMs).catch(
    async (error: unknown) => {
      throw new Error(`these still fire: ${(await site.prometheus.firing()).join(', ')}`, { cause: error });
    },
  );

/** The largest value that a query of a panel gives now, of the series that `told` names; 0 where it gives none. */
async function shown(
  dashboard: string,
  panel: string,
  chosen: Chosen = {},
  legend?: string,
  told = '',
): Promise<number> {
  const rows = DASHBOARDS.find(({ title }) => title === dashboard)?.rows ?? [];
  const found = rows.flatMap(({ panels }) => panels).find(({ title }) => title === panel);
  const query = found?.queries.find((each) => legend === undefined || each.legend === legend);
  if (query === undefined) throw new Error(`there is no ${panel} on ${dashboard}`);
  const samples = await site.prometheus.query(filled(query.expr, chosen));
  const named = samples.filter(({ labels }) => told === '' || Object.values(labels).includes(told));
  return Math.max(0, ...named.map(({ value }) => value).filter(Number.isFinite));
}

type Chosen = { readonly stream?: string; readonly algorithm?: string };
const filled = (expr: string, chosen: Chosen): string =>
  filledQuery(hurried(expr, TIMES), { rateInterval: '10s', ...chosen });

/** What each fault moves: from where it is while all is well, to what it must reach. */
type Shown = readonly [what: string, value: () => Promise<number>, moved: (value: number, before: number) => boolean];
const SHOWN: readonly Shown[] = [
  ['cameras down', () => shown('Fleet', 'Cameras down'), (value, before) => before === 0 && value >= 1],
  ['cameras frozen', () => shown('Fleet', 'Cameras frozen'), (value, before) => before === 0 && value === 1],
  [
    'what is not playing',
    () => shown('Fleet', 'Not playing, or frozen, and since when'),
    (value, before) => before === 0 && value > 1,
  ],
  ['losses', () => shown('Fleet', 'Losses', {}, 'lost: {{reason}}'), (value, before) => before === 0 && value >= 1],
  ['stale windows', () => shown('Fleet', 'Stale windows'), (value, before) => before < 0.14 && value > 0.5],
  [
    'results of a dead runner',
    () => shown('Algorithm', 'Windows a second', { algorithm: 'shaky' }, 'results'),
    (value, before) => before > 0.5 && value === 0,
  ],
  [
    'dead letters',
    () => shown('Algorithm', 'Dead letters in an hour', { algorithm: 'failing' }),
    (value, before) => before === 0 && value >= 1,
  ],
  [
    'windows without a result',
    () => shown('Algorithm', 'Windows that got no result', { algorithm: 'slow' }),
    (value, before) => before < 0.5 && value > 0.5,
  ],
  [
    'load',
    () => shown('Autoscaling', 'Offered load', { algorithm: 'slow' }),
    (value, before) => before < 0.1 && value > 0.3,
  ],
  [
    'runners asked for',
    () => shown('Autoscaling', 'Runners', { algorithm: 'slow' }, 'asked for'),
    (value, before) => before === 1 && value > 1,
  ],
  ['unaccounted', () => shown('Fleet', 'Unaccounted'), (value, before) => before === 0 && value === 1],
  ['starts', () => shown('Fleet', 'Starts in an hour'), (value, before) => before === 0 && value >= 3],
  [
    'reserved memory',
    () => shown('Bus and store', 'Memory', {}, undefined, 'reserved'),
    (value, before) => before < 0.2 * BUS_MEMORY_BYTES && value > 0.9 * BUS_MEMORY_BYTES,
  ],
];

async function breakEverything(): Promise<void> {
  const { cameras, bus, prometheus } = site;
  await cameras.remove(0);
  await cameras.setFrozen(1, true);
  await site.order({ slow: { takesMs: 8_000 }, failing: { fails: true } });
  await loseAFrame();
  // What another left there.
  const reserved = (await prometheus.query('stream_infer_bus_memory_bytes{kind="reserved"}'))[0]?.value ?? 0;
  const bytesPerFrame = Math.round(0.95 * BUS_MEMORY_BYTES - reserved) - 4_096;
  await createFrameBuffer(bus, {
    stream: 'left',
    epoch: 1,
    mode: 'realtime',
    capacity: 1,
    bytesPerFrame: Math.floor(bytesPerFrame / 2),
  });
  await crashLoop();
}

/** Until it is told of, and then it is gone. */
async function crashLoop(): Promise<void> {
  const { prometheus } = site;
  const started =
    'process_start_time_seconds{service="algo-runner"} and on(instance) stream_infer_runner_credits{algorithm="shaky"}';
  for (let times = 0; times < 12; times += 1) {
    const [before] = await prometheus.query(started);
    await site.killPart('shaky');
    if ((await prometheus.firing()).includes('StreamInferRunnerCrashLooping')) break;
    await site.startPart('shaky');
    await eventually(
      'the restarted runner is scraped',
      async () => (await prometheus.query(started)).some(({ value }) => value !== before?.value),
      60_000,
    );
  }
}

/** One is deleted from its buffer, and its fate withheld. */
async function loseAFrame(): Promise<void> {
  const fate = withheld('gap');
  const environment = { NATS_URL: site.nats.url, NATS_PREFIX: 'ledger' };
  const bus = await connectBus({ url: site.nats.url, prefix: 'ledger', name: 'ledger' });
  const spec = streamSpec({ mode: 'realtime', fps: '10', algorithms: [algorithm({ intervalFrames: 1 })] });
  const ingest = await startIngest(bus, spec, sourceFacts({ fps: '10', sampling: 'time', live: true }));
  await ingest.play(10);
  await ingest.deleteFrame(5);
  await ingest.end();
  const runner = await startRunner(bus, { id: 'one', definitions: ['a'], answer: () => ({ data: 1 }) });
  ledger = { scheduler: await startSchedulerHere(environment, ledgerPort), fate };
  await eventually('the fate is withheld', () => fate.isHeld);
  ingest.close();
  await runner.close();
  await bus.close();
}

async function mendEverything(): Promise<void> {
  const { cameras, bus } = site;
  await cameras.restore(0);
  await cameras.setFrozen(1, false);
  await site.order({});
  await site.startPart('shaky');
  await bus.manager.streams.delete(bus.topology.framesStream('left', 1));
  ledger?.fate.give();
}

test.skipIf(!hasPrometheus || !hasRtspServer)('dashboards and alerts', { timeout: 1_200_000 }, async () => {
  onTestFailed(async () => console.error((await site.prometheus.query('ALERTS')).map(({ labels }) => labels)));

  // All is well, for longer than any alert waits.
  await sleep(20_000);
  await quiet();
  const before = await Promise.all(SHOWN.map(([, value]) => value()));

  await breakEverything();
  await fired(...ALERTS.filter((alert) => alert !== BLIND && alert !== 'StreamInferStoreFallingBehind'));
  for (const [at, [what, value, moved]] of SHOWN.entries()) {
    const was = before[at] ?? Number.NaN;
    let is = Number.NaN;
    const hasMoved = await eventually(
      what,
      async () => {
        is = await value();
        return moved(is, was);
      },
      60_000,
    ).catch(() => false);
    console.log(`${what}: ${was} → ${is}`);
    expect(hasMoved, `${what}: ${was} → ${is}`).toBe(true);
  }
  // What has not happened yet, so that every panel has something to show.
  await site.api('/v1/streams/nobody');
  process.kill(site.nats.pid, 'SIGSTOP');
  await sleep(4_000);
  process.kill(site.nats.pid, 'SIGCONT');
  site.part('collector').process.kill('SIGSTOP');
  await fired('StreamInferStoreFallingBehind');
  site.part('collector').process.kill('SIGCONT');
  await mendEverything();
  await quiet(330_000);

  await site.part('scheduler').stop();
  await fired(BLIND);
  expect(await shown('Autoscaling', 'Fallback', {}, 'blind')).toBe(1);
  await site.startPart('scheduler');
  await quiet();

  const endedAt = Date.now() / 1_000;
  const { STREAM_INFER_PICTURES: pictures } = process.env;
  if (pictures) {
    const range = { from: beganAt, to: endedAt, step: 2 };
    await drawDashboards(site.prometheus, pictures, {
      ...range,
      fill: filled,
      chosen: { stream: 'gate', algorithm: 'slow' },
    });
  }
  const empty: string[] = [];
  for (const { title, rows } of DASHBOARDS)
    for (const panel of rows.flatMap(({ panels }) => panels))
      for (const { expr, isForeign } of panel.queries) {
        const series = await site.prometheus.range(filled(expr, {}), beganAt, endedAt, 2);
        const hasData = series.some(({ points }) => points.some(([, value]) => Number.isFinite(value)));
        if (!hasData && !isForeign) empty.push(`${title}: ${panel.title}: ${expr}`);
      }
  expect(empty).toEqual([]);
  for (const [what, selector, by, most] of BOUNDS) {
    const [found] = await site.prometheus.query(`max(max_over_time((count by (${by}) (${selector}))[10m:10s]))`);
    console.log(`series of a ${what}: ${found?.value} of ${most}`);
    expect(found?.value, what).toBeGreaterThan(0);
    expect(found?.value, what).toBeLessThanOrEqual(most);
  }
});

/** What docs/monitoring.md says that there are at most. */
const OURS = '__name__=~"stream_infer_.*|process_.*|nodejs_.*"';
const BOUNDS: readonly (readonly [what: string, selector: string, by: string, most: number])[] = [
  ['stream in an ingest', `{${OURS},service="ingest",stream!=""}`, 'instance, stream', 75],
  ['stream in a scheduler', `{${OURS},service="scheduler",stream!="",algorithm=""}`, 'instance, stream', 15],
  ['stream in a collector', `{${OURS},service="collector",stream!="",algorithm=""}`, 'instance, stream', 2],
  [
    'algorithm on a stream',
    `{${OURS},service="scheduler",stream!="",algorithm!=""}`,
    'instance, stream, algorithm',
    50,
  ],
  ['algorithm in a runner', `{${OURS},service="algo-runner",algorithm!=""}`, 'instance, algorithm', 150],
  ['process', `{${OURS},stream="",algorithm=""}`, 'instance', 150],
];
