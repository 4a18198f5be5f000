/**
 * Every recorded case of the original through the whole pipeline: the same calls in the same order with the same frames,
 * told from the pixels.
 */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { streamInfer } from '../harness/command.ts';
import given from './given.json' with { type: 'json' };

type Call = { readonly position: number; readonly frames: readonly number[] };
type Case = (typeof given)[number];
type Results = Record<string, Record<string, Record<string, { read: number[]; index: number[] }>>>;

const module = join(import.meta.dirname, 'read-blocks.mjs');
const VARIANTS = {
  native: {},
  small: { width: 160, height: 120 },
  gray: { pixelFormat: 'gray' },
  yuv420p: { pixelFormat: 'yuv420p' },
  jpeg: { encoding: 'jpeg' },
} as const;
const REFUSED = 'buffer-too-small-never-runs';
const runnable = given.filter(({ name }) => name !== REFUSED);

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-conformance-'));
});
afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

const algorithms = (one: Case) =>
  one.algos.map(({ name, frame_count, frame_step, interval }) => ({
    name: `${one.name}-${name}`.replaceAll('.', '_'),
    use: module,
    frameCount: frame_count,
    frameStep: frame_step,
    interval,
  }));

const stream = (one: Case, id: string, rest: object) => ({
  id,
  source: join(import.meta.dirname, 'videos', one.video),
  fps: one.fps,
  buffer: one.buffer,
  position: one.position,
  algorithms: algorithms(one).map(({ name }) => name),
  ...rest,
});

async function run(name: string, configuration: object, ...flags: string[]): Promise<string> {
  const config = join(directory, `${name}.json`);
  const output = join(directory, `${name}.results.json`);
  await writeFile(config, JSON.stringify(configuration));
  const { status, stderr } = await streamInfer(['run', '--config', config, '--output', output, '--strict', ...flags]);
  expect({ status, stderr }, stderr).toMatchObject({ status: 0 });
  return readFile(output, 'utf8');
}

/** Calls as they were recorded, out of results: the keys ascend, so their order is the order of the calls. */
const calls = (results: Record<string, { read: number[]; index: number[] }> | undefined): Call[] =>
  Object.entries(results ?? {})
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([key, { read }]) => ({ position: Math.floor(Number(key)), frames: read }));

describe('the recorded cases of the original', () => {
  test.for(runnable)('$name: at its own size, at 160×120, gray, yuv420p and jpeg', async (one) => {
    const streams = Object.entries(VARIANTS).map(([id, rest]) => stream(one, id, rest));
    const results = JSON.parse(
      await run(one.name, { algorithms: algorithms(one), streams }, '--runners', '2'),
    ) as Results;
    for (const id of Object.keys(VARIANTS)) {
      for (const { name } of one.algos) {
        const algorithm = `${one.name}-${name}`.replaceAll('.', '_');
        const found = results[id]?.[algorithm];
        expect(calls(found), `${one.name} ${id} ${name}`).toEqual((one.calls as Record<string, Call[]>)[name] ?? []);
        for (const { read, index } of Object.values(found ?? {})) expect(index).toEqual(read);
      }
    }
  });

  test(`${REFUSED}: a window larger than the buffer is refused by name`, async () => {
    const one = given.find(({ name }) => name === REFUSED) as Case;
    const config = join(directory, 'refused.json');
    await writeFile(config, JSON.stringify({ algorithms: algorithms(one), streams: [stream(one, 'refused', {})] }));
    const { status, stderr } = await streamInfer(['run', '--config', config]);
    expect(stderr).toMatch(/^WINDOW_EXCEEDS_BUFFER: .*never/m);
    expect(status).toBe(2);
  });

  test('with 1, 2 and 4 runners the same bytes come out (I2)', async () => {
    const configuration = {
      algorithms: runnable.flatMap(algorithms),
      streams: runnable.map((one) => stream(one, one.name.replaceAll('.', '_'), {})),
    };
    const outputs: string[] = [];
    for (const runners of ['1', '2', '4'])
      outputs.push(await run(`runners-${runners}`, configuration, '--runners', runners));
    expect(outputs[0]?.length).toBeGreaterThan(10_000);
    expect(outputs[1]).toBe(outputs[0]);
    expect(outputs[2]).toBe(outputs[0]);
  });
});
