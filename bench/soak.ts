/**
 * `make soak`: eight live streams through `stream-infer up`, for STREAM_INFER_SOAK_MINUTES (30) behind half as many to warm up. Writes
 * bench/SOAK.md. Exits 1 where a bound is not held. Gaps between results are looked at from the first result on, memory behind the warm-up.
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ResultRecord } from '@stream-infer/core/result-record';
import type { StreamReport } from '@stream-infer/core/stream-report';
import { openFeed } from '../packages/cli/src/run/collector-feed.ts';
import { eventually } from '../test/harness/eventually.ts';
import { root } from '../test/harness/programs.ts';
import { startUp, type Up } from '../test/harness/up.ts';
import { slowDemo } from './clip.ts';
import { ResultGaps, type SeriesGaps } from './result-gaps.ts';
import { type HeldGaps, soakDocument, type Totals } from './soak-document.ts';
import { SAMPLED_NODE_OPTIONS, systemSampler } from './system-sampler.ts';
import { type Sample, usageReport } from './usage-report.ts';

const MINUTE_MS = 60_000;
const MINUTES = Number(process.env.STREAM_INFER_SOAK_MINUTES ?? 30);
/** Compiled code, arenas and caches come to a stand after some 15 minutes of this load. */
const WARM_UP_MINUTES = MINUTES / 2;
const SAMPLE_MS = 15_000;
const START_LIMIT_MS = 60_000;
const FPS = 10;
const STREAMS = Array.from({ length: 8 }, (_, at) => `cam${at}`);
/** By algorithm, in frames. */
const INTERVAL_FRAMES: Readonly<Record<string, number>> = { picture: 2, shapes: 5, tracks: 5 };
const LATE_FRAMES = 2;

/** A clip over and over, with times that never jump; each stream begins at another place of it. */
const source = (clip: string, at: number): string =>
  `lavfi:movie=${clip}:loop=0:seek_point=${at / 2},setpts=N/(${FPS}*TB)`;
const configuration = (clip: string) => ({
  algorithms: [
    { name: 'picture', use: 'frame-stats', intervalFrames: INTERVAL_FRAMES.picture },
    {
      name: 'shapes',
      use: 'onnx-detector',
      options: {
        model: join(root, 'examples', 'demo', 'shapes.onnx'),
        family: 'yolov8',
        labels: join(root, 'examples', 'demo', 'labels.txt'),
      },
      intervalFrames: INTERVAL_FRAMES.shapes,
    },
    { name: 'tracks', use: 'byte-track', after: 'shapes', frameCount: 0 },
  ],
  streams: STREAMS.map((id, at) => ({ id, source: source(clip, at), mode: 'realtime' })),
});

/** Reads the live feed until the signal aborts. */
async function follow(apiUrl: string, gaps: ResultGaps, signal: AbortSignal): Promise<void> {
  for await (const event of await openFeed({ url: apiUrl, token: undefined }, signal)) {
    if (event.kind === 'end') throw new Error(`the run of ${event.stream} has ended`);
    const { stream, algorithm, n } = JSON.parse(event.text) as ResultRecord;
    gaps.add({ stream, algorithm, n, atMs: performance.now() });
  }
}

async function samplesOf(up: Up, untilMs: number): Promise<readonly Sample[]> {
  const sampler = await systemSampler(up.child.pid ?? 0);
  const samples: Sample[] = [];
  while (performance.now() < untilMs) {
    samples.push(await sampler.sample());
    await sleep(SAMPLE_MS);
  }
  await sampler.close();
  return samples;
}

function heldGaps(gaps: SeriesGaps, beganMs: number): HeldGaps {
  const limitFrames = (INTERVAL_FRAMES[gaps.algorithm] ?? 0) + LATE_FRAMES;
  const limitMs = (limitFrames * 1_000) / FPS;
  const minute = (gaps.sinceMs - beganMs) / MINUTE_MS;
  return { ...gaps, minute, limitFrames, limitMs, held: gaps.frames <= limitFrames && gaps.ms <= limitMs };
}

async function totalsOf(apiUrl: string): Promise<Totals> {
  const { streams } = (await (await fetch(`${apiUrl}/v1/streams`)).json()) as { streams: readonly StreamReport[] };
  const all = streams.flatMap(({ algorithms }) => Object.values(algorithms));
  const total = (count: (one: (typeof all)[number]) => number): number => all.reduce((sum, one) => sum + count(one), 0);
  return {
    triggered: total(({ triggered }) => triggered),
    completed: total(({ completed }) => completed),
    failed: total(({ failed }) => failed),
    dropped: total(({ dropped }) => Object.values(dropped).reduce((sum, count) => sum + count, 0)),
  };
}

async function soak(up: Up, folder: string): Promise<boolean> {
  const gaps = new ResultGaps();
  const over = new AbortController();
  const following = follow(up.apiUrl, gaps, over.signal);
  const series = STREAMS.length * Object.keys(INTERVAL_FRAMES).length;
  const playing = eventually(`${series} series have results`, () => gaps.size === series, START_LIMIT_MS);
  await Promise.race([playing, following]);
  const beganMs = performance.now();
  const all = samplesOf(up, beganMs + (WARM_UP_MINUTES + MINUTES) * MINUTE_MS);
  const early = following.then((): never => {
    throw new Error('the live feed has ended');
  });
  early.catch(() => undefined);
  const samples = await Promise.race([all, early]);
  const found = gaps.all(performance.now()).map((each) => heldGaps(each, beganMs));
  const totals = await totalsOf(up.apiUrl);
  over.abort();
  await following;
  const measured = samples.filter(({ atMs }) => atMs >= beganMs + WARM_UP_MINUTES * MINUTE_MS);
  const usage = usageReport(measured);
  const facts = { folder, minutes: MINUTES, warmUpMinutes: WARM_UP_MINUTES, samples: measured.length };
  const text = soakDocument({ ...facts, usage, gaps: found, totals });
  await writeFile(join(import.meta.dirname, 'SOAK.md'), text);
  console.log(text);
  return usage.held && found.every(({ held }) => held) && totals.failed === 0;
}

const folder = await mkdtemp(join(tmpdir(), 'stream-infer-soak-'));
try {
  const file = join(folder, 'soak.yaml');
  // JSON is YAML.
  await writeFile(file, JSON.stringify(configuration(slowDemo(root, FPS, folder))));
  const up = await startUp(['--config', file], {
    cwd: folder,
    environment: { NODE_OPTIONS: SAMPLED_NODE_OPTIONS },
    timeoutMs: (WARM_UP_MINUTES + MINUTES + 5) * MINUTE_MS,
  });
  try {
    process.exitCode = (await soak(up, folder)) ? 0 : 1;
  } finally {
    // What went wrong meanwhile, if anything did.
    console.error((await up.stop()).stderr);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
