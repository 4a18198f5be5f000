/** A run that is kept in a folder survives the command itself: `--resume` goes on with it, and its results are those of an undisturbed run. */

import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CommandResult, streamInfer } from '../harness/command.ts';
import { eventually } from '../harness/eventually.ts';
import { makeVideo } from '../harness/made-videos.ts';
import { descendants, stillRunning } from '../harness/process-tree.ts';

let directory: string;
let video: string;
let args: readonly string[];
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-resume-'));
  video = join(directory, 'clip.mp4');
  makeVideo(video, { seconds: 20, fps: 25 });
  await writeFile(
    join(directory, 'slow.mjs'),
    `import { appendFileSync } from 'node:fs';
export default class {
  async run(frames, { n, options }) {
    appendFileSync(options.diary, n + '\\n');
    await new Promise((resolve) => setTimeout(resolve, 20));
    return frames.map(({ index }) => index);
  }
}
`,
  );
  args = [
    'run',
    video,
    '--algorithm',
    `a=${join(directory, 'slow.mjs')},intervalFrames=3,frameCount=2,diary=${directory}/diary`,
  ];
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const diary = async (): Promise<string[]> =>
  (await readFile(join(directory, 'diary'), 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');

/** The command is killed once so many windows have been run; resolves when nothing of it is left. */
async function killedAfter(windows: number, ...more: string[]): Promise<void> {
  const started = Promise.withResolvers<ChildProcess>();
  const result: Promise<CommandResult> = streamInfer([...args, ...more], { onStart: started.resolve });
  const child = await started.promise;
  await eventually(`${windows} windows`, async () => (await diary()).length >= windows);
  const tree = await descendants(child.pid ?? 0);
  child.kill('SIGKILL');
  await result;
  await eventually('nothing of it is left', async () => (await stillRunning(tree)).length === 0);
}

test('a killed run goes on where it was, and ends as one that nobody disturbed', async () => {
  const whole = join(directory, 'whole.json');
  expect(await streamInfer([...args, '--output', whole])).toMatchObject({ status: 0 });
  await rm(join(directory, 'diary'));

  const data = join(directory, 'data');
  const output = join(directory, 'resumed.json');
  await killedAfter(40, '--data', data, '--output', output);
  expect(existsSync(output)).toBe(false);
  const before = (await diary()).length;

  expect(await streamInfer([...args, '--data', data])).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/^RESUME_REFUSED: .*add --resume/),
  });
  const other = await streamInfer([...args, '--data', data, '--resume', '--fps', '5']);
  expect(other).toMatchObject({ status: 2, stderr: expect.stringMatching(/^RESUME_REFUSED: .*stream clip differs/) });

  const resumed = await streamInfer([...args, '--data', data, '--resume', '--output', output]);
  expect(resumed, resumed.stderr).toMatchObject({ status: 0 });
  expect(await readFile(output, 'utf8')).toBe(await readFile(whole, 'utf8'));
  // What was answered is not computed again.
  const windows = 166;
  expect((await diary()).length).toBeLessThan(before + windows - 20);
  expect(existsSync(join(data, 'run.json'))).toBe(false);
});

test('a source that changed meanwhile is not gone on with, and neither is a folder without a run', async () => {
  const data = join(directory, 'changed');
  await rm(join(directory, 'diary'), { force: true });
  await killedAfter(5, '--data', data);
  await utimes(video, new Date(0), new Date(0));
  expect(await streamInfer([...args, '--data', data, '--resume'])).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/^RESUME_REFUSED: .*source .*clip\.mp4 differs/),
  });
  expect(await streamInfer([...args, '--data', join(directory, 'none'), '--resume'])).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/^RESUME_REFUSED: .*holds no run/),
  });
  expect(await streamInfer([...args, '--resume'])).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/^USAGE: --resume needs --data/),
  });
});
