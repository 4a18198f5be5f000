import { describe, expect, it } from 'vitest';
import { layerViolations } from './layer-rules.ts';

const check = (path: string, text: string): string[] =>
  layerViolations(new Map([[path, text]])).map((violation) => `${violation.line}: ${violation.message}`);

describe('layer rules', () => {
  it.each([
    ['a service that imports another', 'services/ingest/src/x.ts', "import { a } from '@stream-infer/scheduler/a';"],
    ['a service that imports the command', 'services/collector/src/x.ts', "import '@stream-infer/cli/main';"],
    ['a bus in the service kit', 'packages/service-kit/src/x.ts', "import { b } from '@stream-infer/bus/bus';"],
    ['a package in core', 'packages/core/src/x.ts', "export { b } from '@stream-infer/bus/bus';"],
    ['a type of another package in core', 'packages/core/src/x.ts', "type B = import('@stream-infer/bus/bus').Bus;"],
    ['a service in the command', 'packages/cli/src/x.ts', "await import('@stream-infer/ingest/service');"],
    ['another package by its path', 'packages/bus/src/x.ts', "import { a } from '../../core/src/a.ts';"],
    [
      'another package by its path, dynamically',
      'services/ingest/src/x.ts',
      "await import('../../scheduler/src/a.ts');",
    ],
    ['a test imported by a source', 'packages/bus/src/x.ts', "import { a } from './bus.test.ts';"],
    ['the test harness imported by a script', 'scripts/x.ts', "import { a } from '../test/harness/nats-server.ts';"],
    ['the clock in core', 'packages/core/src/x.ts', 'export const now = () => Date.now();'],
    [
      'the clock in core, spelt otherwise',
      'packages/core/src/x.ts',
      "export const now = () => globalThis.Date['now']();",
    ],
    ['the date of now in core', 'packages/core/src/x.ts', 'export const now = new Date();'],
    ['chance in core', 'packages/core/src/x.ts', 'export const { random } = { random: Math.random };'],
    ['a timer in core', 'packages/core/src/x.ts', 'setTimeout(() => undefined, 1);'],
    ['the environment in core', 'packages/core/src/x.ts', 'export const home = process.env.HOME as string;'],
    ['a stream named outside the topology', 'services/ingest/src/x.ts', 'export const s = `FRAMES_${id}_${epoch}`;'],
    ['a subject named outside the topology', 'packages/bus/src/x.ts', 'export const s = `results.${id}.${run}`;'],
    ['a prefixed subject named outside the topology', 'packages/bus/src/x.ts', 'const s = `${prefix}.frames.${id}`;'],
    ['a subject with a wildcard', 'packages/bus/src/x.ts', "const s = 'results.>';"],
  ])('finds %s', (_what, path, text) => {
    expect(check(path, text)).toHaveLength(1);
  });

  it.each([
    ['a test of core that waits', 'packages/core/src/x.test.ts', 'setTimeout(() => undefined, 1); Date.now();'],
    ['a date of a given time in core', 'packages/core/src/x.ts', 'export const at = new Date(0);'],
    ['a key or member named like a global', 'packages/core/src/x.ts', 'export const x = { process: 1 }.process;'],
    [
      'a type named like a global',
      'packages/core/src/x.ts',
      'export type X = { buffer: Buffer; now: typeof Date.now };',
    ],
    [
      'a comment that speaks of the clock',
      'packages/core/src/x.ts',
      '// Date.now() is for others\nexport const x = 1;',
    ],
    ['an allowed package', 'services/ingest/src/x.ts', "import { b } from '@stream-infer/bus/bus';"],
    ['the package itself', 'services/ingest/src/x.ts', "import { b } from '@stream-infer/ingest/b';"],
    ['a file of the same package', 'services/ingest/src/deep/x.ts', "import { b } from '../b.ts';"],
    ['the harness imported by a test', 'test/e2e/x.test.ts', "import { a } from '../harness/nats-server.ts';"],
    [
      'a model of the tests in a test',
      'packages/core/src/x.test.ts',
      "import { a } from '../../../test/model/specs.ts';",
    ],
    ['a name in the topology', 'packages/bus/src/topology.ts', 'export const s = `FRAMES_${id}`;'],
    ['prose about a stream', 'services/ingest/src/x.ts', "export const why = 'RESULTS is full';"],
    ['a file called after results', 'packages/cli/src/x.ts', "export const file = 'results.json';"],
  ])('leaves alone %s', (_what, path, text) => {
    expect(check(path, text)).toEqual([]);
  });

  it('finds fluent-ffmpeg in a second file, and names both', () => {
    const text = "import ffmpeg from 'fluent-ffmpeg';";
    const one = new Map([['services/ingest/src/a.ts', text]]);
    expect(layerViolations(one)).toEqual([]);
    const two = layerViolations(new Map([...one, ['services/ingest/src/b.ts', text]]));
    expect(two.map((violation) => violation.path)).toEqual(['services/ingest/src/a.ts', 'services/ingest/src/b.ts']);
  });

  it('names the line', () => {
    expect(check('packages/core/src/x.ts', '\n\nexport const now = Date.now();\n')[0]).toMatch(/^3: uses Date.now/);
  });
});
