import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseCommandLine } from '../command-line.ts';
import { planUp, type UpPlan } from './up-plan.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-up-plan-'));
  await mkdir(join(directory, 'site'));
  await writeFile(
    join(directory, 'site', 'c.yaml'),
    `algorithms:
  - {name: faces, use: frame-stats, interval: 1}
  - {name: unused, use: ./unused.mjs}
streams:
  - {id: lobby, source: lobby.mp4, algorithms: [faces]}
  - {id: gate, sourceFrom: {file: gate.url}}
  - {id: test, source: 'lavfi:testsrc'}
collector: {apiPort: 9000}
`,
  );
});
afterAll(() => rm(directory, { recursive: true }));

function plan(...args: string[]): Promise<UpPlan> {
  const command = parseCommandLine(['up', ...args.map((arg) => arg.replace('@', directory))]);
  if (command.name !== 'up') throw new Error(command.name);
  return planUp(command.options, directory);
}

describe('up', () => {
  test('keeps every algorithm, whether a stream of the file uses it or not, and takes the streams with absolute paths', async () => {
    const { configuration, streams, apiPort, data, storePath, runners } = await plan('--config', '@/site/c.yaml');
    expect(configuration.algorithms.map(({ name }) => name)).toEqual(['faces', 'unused']);
    expect(configuration.streams).toEqual([]);
    expect(streams).toMatchObject([
      { id: 'lobby', source: join(directory, 'site', 'lobby.mp4') },
      { id: 'gate', sourceFrom: { file: join(directory, 'site', 'gate.url') } },
      { id: 'test', source: 'lavfi:testsrc' },
    ]);
    expect({ apiPort, data, storePath, runners }).toEqual({
      apiPort: 9000,
      data: undefined,
      storePath: undefined,
      runners: 1,
    });
  });

  test('takes algorithms of flags, over those of the file', async () => {
    const flags = ['--algorithm', 'faces=frame-stats,interval=2', '--algorithm', 'more=frame-stats'];
    const { configuration } = await plan('--config', '@/site/c.yaml', ...flags);
    expect(configuration.algorithms.map(({ name, interval }) => [name, interval])).toEqual([
      ['unused', undefined],
      ['faces', '2'],
      ['more', undefined],
    ]);
    const alone = await plan(...flags, '--http', '0', '--data', 'd', '--store', 's.sqlite');
    expect(alone).toMatchObject({ apiPort: 0, data: join(directory, 'd'), storePath: join(directory, 's.sqlite') });
    expect(alone.streams).toBeUndefined();
  });

  test.each([
    [[], 'USAGE: up needs to know which algorithms there are'],
    [['--config', '@/none.yaml'], 'CONFIG_NOT_FOUND: '],
    [['lobby.mp4'], 'USAGE: up takes no argument, and lobby.mp4 is given'],
    [['--algorithm', 'a=frame-stats', '--http', '70000'], 'CONFIG_INVALID: --http is "70000"'],
    [['--algorithm', 'a=frame-stats', '--runners', '0'], 'CONFIG_INVALID: --runners is "0"'],
    [['--algorithm', 'a=frame-stats', '--algorithm', 'a=frame-stats'], 'CONFIG_DUPLICATE_NAME: --algorithm a'],
  ])('%j is refused: %s', async (args, message) => {
    await expect((async () => plan(...args))().catch(String)).resolves.toContain(message);
  });
});
