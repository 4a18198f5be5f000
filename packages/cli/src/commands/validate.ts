/** `stream-infer validate FILE`: whether a configuration is one, and what it comes to: every stream with the window of each algorithm. */

import { resolve } from 'node:path';
import { isBuiltInName } from '@stream-infer/algorithms/registry';
import type { AlgorithmDefinition } from '@stream-infer/core/algorithm-definition';
import type { Configuration } from '@stream-infer/core/configuration';
import { type Fault, faultJson, toFault } from '@stream-infer/core/fault';
import { parseRational } from '@stream-infer/core/rational';
import { redactUrl } from '@stream-infer/core/redact-url';
import { resolveStreams } from '@stream-infer/core/resolve-streams';
import type { StreamAlgorithm, StreamSpec } from '@stream-infer/core/stream-spec';
import { readConfigurationFile } from '@stream-infer/service-kit/configuration-file';
import { realInterval } from '../run/real-interval.ts';
import { checkSource } from '../run/source-argument.ts';
import { runServiceProgram } from '../system/service-program.ts';
import type { Screen } from '../terminal/screen.ts';
import { formatTable } from '../terminal/table.ts';

type ValidateArguments = { readonly argument: string; readonly json: boolean };

/** Throws the fault of the configuration; tells those of files and options one a line. */
export async function validateCommand({ argument, json }: ValidateArguments, screen: Screen): Promise<number> {
  const { configuration, directory } = await readConfigurationFile(argument);
  const specs = resolveStreams(configuration, (path) => resolve(directory, path));
  const faults = await findFaults(configuration, directory, specs);
  for (const fault of faults) screen.line(String(fault));
  const exitStatus = Math.max(0, ...faults.map((fault) => fault.exitStatus));
  if (json) {
    const problems = faults.length === 0 ? {} : { faults: faults.map(faultJson), exitStatus };
    process.stdout.write(`${JSON.stringify({ ...report(argument, specs), ...problems }, null, 2)}\n`);
  } else if (faults.length === 0) process.stdout.write(text(argument, specs, configuration.algorithms.length));
  return exitStatus;
}

/** How long a module may take to load. */
const LOAD_LIMIT_MS = 30_000;

/**
 * Of what an algorithm uses, its module loaded and its class constructed in a process of its own, as a runner does before `init`. A model is
 * not loaded.
 */
async function algorithmFault(algorithm: AlgorithmDefinition, directory: string): Promise<void> {
  // Loaded here alone: the schemas behind it are large.
  const { checkAlgorithm } = await import('@stream-infer/algorithms/check-algorithm');
  await checkAlgorithm(algorithm, directory);
  const { name, use } = algorithm;
  if (isBuiltInName(use)) return;
  await runServiceProgram('algo-runner', 'check-command', [name, use, directory], LOAD_LIMIT_MS);
}

/** Of what the configuration names. What an environment variable holds is known where the stream is played. */
async function findFaults(
  { algorithms }: Configuration,
  directory: string,
  specs: readonly StreamSpec[],
): Promise<readonly Fault[]> {
  const checks = [
    ...algorithms.map((algorithm) => algorithmFault(algorithm, directory)),
    ...specs.map(({ id, source }) => checkSource({ id, ...(source !== undefined && { source }) }, {})),
  ];
  const outcomes = await Promise.allSettled(checks);
  return outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? toFault(outcome.reason) : []));
}

/** What `validate --json` prints: the streams with every default filled in. */
const report = (file: string, specs: readonly StreamSpec[]) => ({
  file,
  streams: specs.map((spec) => ({ ...spec, ...(spec.source !== undefined && { source: redactUrl(spec.source) }) })),
});

function text(file: string, specs: readonly StreamSpec[], algorithms: number): string {
  const lines = [`${file} is valid: ${count(algorithms, 'algorithm')}, ${count(specs.length, 'stream')}`];
  if (specs.length === 0) lines.push('it lists no streams, so run --config has nothing to play');
  else
    lines.push(
      formatTable(
        ['stream', 'mode', 'fps', 'algorithm', 'window', 'due'],
        specs.flatMap((spec) =>
          spec.algorithms.map((algorithm) => [
            spec.id,
            spec.mode,
            spec.fps ?? "the source's",
            algorithm.name === algorithm.definition ? algorithm.name : `${algorithm.name} (${algorithm.definition})`,
            windowOf(algorithm),
            dueOf(algorithm, spec.fps),
          ]),
        ),
      ),
    );
  return `${lines.join('\n')}\n`;
}

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;

function windowOf({ frameCount, frameStep }: StreamAlgorithm): string {
  if (frameCount === 0) return 'no frames';
  if (frameCount === 1) return '1 frame';
  return frameStep <= 1 ? `${frameCount} frames in a row` : `${frameCount} frames, every ${ordinal(frameStep)}`;
}

function dueOf({ after, interval, intervalFrames = 1 }: StreamAlgorithm, fps: string | undefined): string {
  if (after !== undefined) return `after ${after.join(' and ')}`;
  if (interval === undefined) return intervalFrames === 1 ? 'at every frame' : `every ${intervalFrames} frames`;
  const rate = fps === undefined ? undefined : parseRational(fps);
  const real = rate && realInterval(interval, rate);
  return real
    ? `every ${real.seconds} s: ${interval} s at ${real.fps} fps is ${real.frames} frames`
    : `every ${interval} s`;
}

function ordinal(number: number): string {
  const ending = number % 100 >= 11 && number % 100 <= 13 ? 'th' : (['th', 'st', 'nd', 'rd'][number % 10] ?? 'th');
  return `${number}${ending}`;
}
