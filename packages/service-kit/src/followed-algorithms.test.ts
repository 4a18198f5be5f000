import { mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Fault } from '@stream-infer/core/fault';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { readConfigurationFile } from './configuration-file.ts';
import { type FollowedAlgorithms, followAlgorithms } from './followed-algorithms.ts';

let directory: string;
let file: string;
let followed: FollowedAlgorithms;
const report = vi.fn<(fault: Fault) => void>();

/** As a ConfigMap is mounted: what a link names is exchanged. */
async function place(text: string): Promise<void> {
  const content = join(directory, `content-${Math.random()}`);
  await writeFile(content, text);
  await symlink(content, `${content}.link`);
  await rename(`${content}.link`, file);
}

beforeEach(async () => {
  report.mockClear();
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-followed-'));
  file = join(directory, 'configuration.yaml');
  await place('algorithms: [{name: faces, use: frame-stats}]');
  followed = followAlgorithms(await readConfigurationFile(file), { report, everyMs: 10 });
});

afterEach(async () => {
  await followed.close();
  await rm(directory, { recursive: true });
});

const names = (): string[] => followed.current().map(({ name }) => name);

test('algorithms are those of the file as it stands', async () => {
  expect(names()).toEqual(['faces']);
  await place('algorithms: [{name: faces, use: frame-stats}, {name: plates, use: frame-stats}]');
  await vi.waitFor(() => expect(names()).toEqual(['faces', 'plates']));
});

test('of a file that is wrong is told once, and what was known goes on to count', async () => {
  await place('algorithms: [{name: faces, uses: frame-stats}]');
  await vi.waitFor(() => expect(report).toHaveBeenCalled());
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(report.mock.calls.map(([{ code }]) => code)).toEqual(['CONFIG_UNKNOWN_KEY']);
  expect(names()).toEqual(['faces']);
  await place('algorithms: [{name: mended, use: frame-stats}]');
  await vi.waitFor(() => expect(names()).toEqual(['mended']));
});
