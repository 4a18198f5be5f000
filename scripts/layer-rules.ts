/**
 * What may import what, as one table, and what is said in one place only. Biome's configuration holds the part that it can
 * say (which npm packages core, algorithm, bus and ingest may import, no cycles, file names and lengths); this is the rest.
 * Pure: the sources go in as text, the violations come out.
 */

import { posix } from 'node:path';
import { type Fact, readSourceFacts, type SourceFacts, VALUE } from './source-facts.ts';

export type Violation = { readonly path: string; readonly line: number; readonly message: string };

/** Folder of a package → the workspace packages that its sources may import. Folders that are not here are free. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  proto: [],
  'packages/algorithm': [],
  'packages/core': [],
  'packages/bus': ['core', 'proto'],
  'packages/service-kit': ['core', 'proto'],
  algorithms: ['algorithm', 'core'],
  'services/ingest': ['bus', 'core', 'proto', 'service-kit'],
  'services/scheduler': ['bus', 'core', 'proto', 'service-kit'],
  'services/algo-runner': ['algorithm', 'algorithms', 'bus', 'core', 'proto', 'service-kit'],
  'services/collector': ['bus', 'core', 'proto', 'service-kit'],
  'packages/cli': ['algorithm', 'algorithms', 'bus', 'core', 'proto', 'service-kit'],
};

/** packages/core takes the time, chance and the world as arguments. */
const CLOCKS = ['new Date()', 'Date.now', 'performance'];
const CHANCE = ['Math.random', 'crypto'];
const TIMERS = ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'AbortSignal.timeout'];
const WORLD = ['process', 'Buffer', 'console', 'fetch', 'navigator', 'WebSocket'];
const IMPURE = new Set([...CLOCKS, ...CHANCE, ...TIMERS, ...WORLD]);

const TOPOLOGY = 'packages/bus/src/topology.ts';

/** A string that is or begins as the name of a stream, subject or bucket, a prefix of it left open or not. */
const BUS_NAME = new RegExp(
  `^(?:${VALUE}[._])?(?:FRAMES_|RESULTS$|DEAD_LETTERS$|KV_|\\$KV\\.|\\$JS\\.|(?:frames|headers|released|status|results|ends|dead-letters|replays)\\.[${VALUE}>*])`,
);

const isTest = (path: string): boolean => path.endsWith('.test.ts') || path.startsWith('test/');

/** The folder of the package that a path lies in: `services/ingest`, `proto`, or '' for the repository's own folders. */
function packageFolder(path: string): string {
  const [first = '', second = ''] = path.split('/');
  if (first === 'packages' || first === 'services') return `${first}/${second}`;
  return first === 'proto' || first === 'algorithms' ? first : '';
}

function importViolation(path: string, imported: string): string | undefined {
  const folder = packageFolder(path);
  if (imported.startsWith('.')) {
    const target = posix.join(posix.dirname(path), imported);
    if (isTest(target)) {
      return isTest(path) || path.startsWith('bench/') ? undefined : `imports ${target}: nothing imports a test`;
    }
    if (folder === '' || packageFolder(target) === folder) return undefined;
    return `imports ${target} by its path: import another package by its name`;
  }
  const [, name] = /^@stream-infer\/([^/]+)/.exec(imported) ?? [];
  const allowed = MAY_IMPORT[folder];
  if (name === undefined || allowed === undefined || isTest(path)) return undefined;
  return allowed.includes(name) || folder.endsWith(`/${name}`)
    ? undefined
    : `imports ${imported}: ${folder} may import ${allowed.join(', ') || 'no other package'}`;
}

function impurity(path: string, name: string): string | undefined {
  if (!path.startsWith('packages/core/src/') || isTest(path)) return undefined;
  const isImpure = IMPURE.has(name) || IMPURE.has(name.split('.')[0] ?? name);
  return isImpure ? `uses ${name}: packages/core is pure, and takes it as an argument` : undefined;
}

function busName(path: string, text: string): string | undefined {
  const isSource = packageFolder(path) !== '' && !isTest(path) && path !== TOPOLOGY;
  return isSource && BUS_NAME.test(text)
    ? `names "${text.replaceAll(VALUE, '…')}" of the bus: only ${TOPOLOGY} does`
    : undefined;
}

/** A message for each fact that breaks a rule. */
function violationsOf(path: string, facts: SourceFacts): Violation[] {
  const broken = (found: readonly Fact[], rule: (path: string, text: string) => string | undefined): Violation[] =>
    found.flatMap(({ text, line }) => {
      const message = rule(path, text);
      return message === undefined ? [] : [{ path, line, message }];
    });
  return [
    ...broken(facts.imports, importViolation),
    ...broken(facts.names, impurity),
    ...broken(facts.strings, busName),
  ];
}

/** @param sources every source file: its path from the repository's root, with `/`, and its text. */
export function layerViolations(sources: ReadonlyMap<string, string>): Violation[] {
  const violations: Violation[] = [];
  const ffmpegWrappers: Violation[] = [];
  for (const [path, text] of sources) {
    const facts = readSourceFacts(text);
    violations.push(...violationsOf(path, facts));
    for (const { line } of facts.imports.filter((imported) => imported.text === 'fluent-ffmpeg').slice(0, 1)) {
      ffmpegWrappers.push({ path, line, message: 'imports fluent-ffmpeg, as another file does: one file wraps it' });
    }
  }
  return ffmpegWrappers.length > 1 ? [...violations, ...ffmpegWrappers] : violations;
}
