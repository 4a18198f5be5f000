/** `stream-infer probe SOURCE|MODEL.onnx`: what a source or a model is, and what would be made of it. */

import { extname, resolve } from 'node:path';
import { Fault } from '@stream-infer/core/fault';
import { sourceKind } from '@stream-infer/core/source-kind';
import type { SourceReport } from '@stream-infer/core/source-report';
import { findSources } from '../run/source-argument.ts';
import { runServiceProgram } from '../system/service-program.ts';
import { formatDuration } from '../terminal/duration.ts';
import { formatTable } from '../terminal/table.ts';

type ProbeArguments = { readonly argument: string; readonly json: boolean };

/** Throws the fault of the source or model. */
export async function probeCommand({ argument, json }: ProbeArguments): Promise<number> {
  if (sourceKind(argument) === 'file' && extname(argument).toLowerCase() === '.onnx') return probeModel(argument, json);
  const [found, ...others] = await findSources([argument], process.cwd());
  if (!found || others.length > 0)
    throw new Fault('USAGE', `probe takes one source, and ${argument} is ${others.length + 1}`);
  const report = JSON.parse(await runServiceProgram('ingest', 'probe-command', [found.source])) as SourceReport;
  process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : `${describeSource(report)}\n`);
  return 0;
}

/** Lines of a source, for people. */
export function describeSource(report: SourceReport): string {
  const { source, kind, facts, frames, keyframes, rotation, videoStreams } = report;
  const { width, height, codec, fps, sampling, live, durationSeconds } = facts;
  const rate =
    sampling === 'index' ? `${fps} frames a second, constant` : `${fps} frames a second on average, variable`;
  const turned = rotation === 0 ? '' : `, turned by ${rotation} degrees`;
  const counted = frames === null ? [] : [`${frames} frames`, `${keyframes ?? 0} of them keyframes`];
  const length = durationSeconds === undefined ? [] : [formatDuration(durationSeconds)];
  const played = [
    live || kind !== 'file' ? 'in realtime' : 'offline',
    live || sampling === 'time' ? 'sampled by presentation time' : 'sampled by frame number',
    `frames of ${width} × ${height} in bgr24 (${((width * height * 3) / 1e6).toFixed(1)} MB) unless --width or --height is given`,
  ];
  return formatTable(
    ['source', source],
    [
      ['picture', `${codec}, ${width} × ${height}${turned}`],
      ['rate', live ? `${fps} frames a second, live` : rate],
      ...(counted.length + length.length > 0 ? [['length', [...length, ...counted].join(', ')]] : []),
      ['played', played.join(', ')],
      ...(videoStreams.length > 1 ? videoRows(videoStreams) : []),
    ],
  );
}

/** Which there are to choose from. */
const videoRows = (streams: SourceReport['videoStreams']): readonly (readonly string[])[] => [
  ...streams.map(({ codec, width, height, fps }, index) => [
    `video ${index}`,
    [codec, `${width} × ${height}`, ...(fps === null ? [] : [`${Number(fps.toFixed(2))} frames a second`])].join(', '),
  ]),
  ['', 'told of and played is video 0, unless videoStream in a configuration, or --video-stream, says otherwise'],
];

async function probeModel(path: string, json: boolean): Promise<number> {
  // Loaded here alone: the runtime behind it is large.
  const { describeModel } = await import('@stream-infer/algorithms/describe-model');
  const model = await describeModel(resolve(path));
  if (json) {
    process.stdout.write(`${JSON.stringify({ model: path, ...model }, null, 2)}\n`);
    return 0;
  }
  const { likelyFamily } = model;
  const use =
    likelyFamily === null
      ? `--algorithm NAME=onnx,model=${path} (see docs/algorithms.md for its input layout)`
      : `--algorithm NAME=onnx-detector,model=${path},family=${likelyFamily}`;
  const tensors = [
    ...model.inputs.map((tensor) => ['input', tensor] as const),
    ...model.outputs.map((tensor) => ['output', tensor] as const),
  ];
  const table = formatTable(
    ['model', path],
    [
      ...tensors.map(([kind, { name, type, shape }]) => [kind, `${name}: ${type}[${shape.join(', ')}]`]),
      ['family', likelyFamily ?? 'none of onnx-detector'],
      ['use', use],
    ],
  );
  process.stdout.write(`${table}\n`);
  return 0;
}
