/** `stream-infer validate FILE`: whether a configuration is one, and what it comes to: every stream with the window of each algorithm. */

import { resolve } from 'node:path';
import { redactUrl } from '@stream-infer/core/redact-url';
import { resolveStreams } from '@stream-infer/core/resolve-streams';
import type { StreamAlgorithm, StreamSpec } from '@stream-infer/core/stream-spec';
import { readConfigurationFile } from '@stream-infer/service-kit/configuration-file';
import { formatTable } from '../terminal/table.ts';

type ValidateArguments = { readonly argument: string; readonly json: boolean };

/** Throws the fault of the configuration. */
export async function validateCommand({ argument, json }: ValidateArguments): Promise<number> {
  const { configuration, directory } = await readConfigurationFile(argument);
  const specs = resolveStreams(configuration, (path) => resolve(directory, path));
  process.stdout.write(
    json
      ? `${JSON.stringify(report(argument, specs), null, 2)}\n`
      : text(argument, specs, configuration.algorithms.length),
  );
  return 0;
}

/** What `validate --json` prints: the streams with every default filled in. */
const report = (file: string, specs: readonly StreamSpec[]) => ({
  file,
  streams: specs.map((spec) => ({ ...spec, ...(spec.source !== undefined && { source: redactUrl(spec.source) }) })),
});

function text(file: string, specs: readonly StreamSpec[], algorithms: number): string {
  const lines = [`${file} is valid: ${count(algorithms, 'algorithm')}, ${count(specs.length, 'stream')}`];
  if (specs.length > 0)
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
            dueOf(algorithm),
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

function dueOf({ after, interval, intervalFrames = 1 }: StreamAlgorithm): string {
  if (after !== undefined) return `after ${after.join(' and ')}`;
  if (interval !== undefined) return `every ${interval} s`;
  return intervalFrames === 1 ? 'at every frame' : `every ${intervalFrames} frames`;
}

function ordinal(number: number): string {
  const ending = number % 100 >= 11 && number % 100 <= 13 ? 'th' : (['th', 'st', 'nd', 'rd'][number % 10] ?? 'th');
  return `${number}${ending}`;
}
