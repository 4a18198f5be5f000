/** `plan`: from a configuration or from flags, for people and as JSON, from the curve of the repository or one's own. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DeploymentPlan } from '../../packages/cli/src/plan/deployment-plan.ts';
import measuredCurve from '../../packages/cli/src/plan/measured-curve.json' with { type: 'json' };
import { streamInfer } from '../harness/command.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-plan-'));
  await writeFile(
    join(directory, 'c.yaml'),
    `algorithms:
  - {name: faces, use: onnx-detector, options: {model: m.onnx, family: yolox}, interval: 1, expectedMs: 40}
streams:
  - {id: lobby, source: lobby.mp4, width: 640, height: 360}
  - {id: gate, source: 'rtsp://me:secret@gate/1', fps: 10, width: 640, height: 360}
  - {id: yard, source: 'rtsp://yard/1', fps: 10, width: 640, height: 360, encoding: jpeg}
`,
  );
  await writeFile(
    join(directory, 'gpu.yaml'),
    `algorithms:
  - {name: faces, use: onnx-detector, options: {model: m.onnx, family: yolox}, interval: 1, expectedMs: 4}
  - {name: plates, use: onnx-detector, options: {model: m.onnx, family: yolox, device: cpu}, interval: 1}
algoRunner: {modelDevice: gpu}
`,
  );
  const dear = { ...measuredCurve, cores: { ...measuredCurve.cores, collector: { processes: 7 } } };
  await writeFile(join(directory, 'dear.json'), JSON.stringify(dear));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const plan = (...args: string[]) => streamInfer(['plan', ...args], { cwd: directory });
const planned = async (...args: string[]): Promise<DeploymentPlan> => {
  const { status, stdout, stderr } = await plan(...args, '--json');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return JSON.parse(stdout) as DeploymentPlan;
};
const FLAGS = '--cameras 500 --fps 10 --width 640 --algorithm a=frame-stats,interval=1,expectedMs=40'.split(' ');

test('the streams in realtime of a configuration, with cameras alike beside them', async () => {
  const { streams, bus, notes } = await planned('--config', 'c.yaml', '--cameras', '8', '--width', '640');
  expect(streams).toBe(10);
  expect(bus.inMegabytesPerSecond).toBeCloseTo((10 * 640 * 360 * 3) / 1e6);
  expect(notes[0]).toBe("left out: 1 of the file's streams, played offline with what is left");
  expect(notes[1]).toMatch(/^frames that cross the bus as jpeg are planned as raw ones/);
  expect(notes.at(-1)).toBe(`measured on: ${measuredCurve.machine}`);
});

test('five hundred cameras from flags alone, as a table', async () => {
  const { services, bus } = await planned(...FLAGS);
  expect(services.find(({ name }) => name === 'runner a')?.pods).toBe(29);
  expect(services.find(({ name }) => name === 'ingest')?.pods).toBeGreaterThanOrEqual(13);
  expect(bus.inMegabytesPerSecond).toBeCloseTo((500 * 640 * 360 * 3) / 1e6);
  const { stdout } = await plan(...FLAGS);
  expect(stdout).toMatch(/^500 cameras/);
  expect(stdout).toMatch(/^runner a +29 /m);
});

test('a model runs where its algorithm says, and else where its runner does', async () => {
  const { services } = await planned('--config', 'gpu.yaml', '--cameras', '500', '--fps', '10', '--width', '320');
  const gpus = services.map(({ name, gpus: count }) => [name, count]).filter(([, count]) => count !== 0);
  expect(gpus).toEqual([['runner faces', 3]]);
});

test("a curve of one's own machine takes the place of ours", async () => {
  const { services } = await planned(...FLAGS, '--curve', 'dear.json');
  expect(services.find(({ name }) => name === 'collector')?.cores).toBe(7);
});

test.each([
  [['--config', 'c.yaml', '--codec', 'vp9'], 'CONFIG_INVALID: what decoding vp9 costs was not measured'],
  [['--config', 'absent.yaml'], 'CONFIG_NOT_FOUND: absent.yaml'],
  [[...FLAGS, '--curve', 'c.yaml'], 'CONFIG_INVALID: c.yaml is no JSON'],
  [[...FLAGS, '--curve', 'absent.json'], 'USAGE: the curve absent.json cannot be read'],
  [[...FLAGS, '--rate', 'fast'], 'USAGE: --rate is fast'],
  [[...FLAGS, '--height', '0'], 'CONFIG_INVALID: --height'],
])('%j is refused', async (args, message) => {
  const { status, stderr } = await plan(...args);
  expect(status).toBe(2);
  expect(stderr).toContain(message);
});
