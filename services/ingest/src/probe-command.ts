/**
 * Tells what a source is: a SourceReport as JSON on standard output, or the fault that it cannot be played by as one log line. A
 * program of its own, because services are not imported: `stream-infer probe` runs it.
 */

import { type Fault, toFault } from '@stream-infer/core/fault';
import { redactUrl } from '@stream-infer/core/redact-url';
import type { SourceReport } from '@stream-infer/core/source-report';
import { createLogger } from '@stream-infer/service-kit/logger';
import { readSettings } from '@stream-infer/service-kit/settings';
import { programVersion } from './ffmpeg-version.ts';
import { packetTimes } from './packet-times.ts';
import { probe } from './probe.ts';
import { sourceOf } from './source.ts';

/** Listing the packets of a long file reads all of it. */
const COUNT_LIMIT_MS = 60_000;

async function report(text: string): Promise<SourceReport> {
  const { ffprobePath, openTimeoutMs } = readSettings('ingest', undefined, process.env);
  await programVersion('ffprobe', ffprobePath);
  const source = sourceOf(text, redactUrl(text), openTimeoutMs);
  const { signal } = new AbortController();
  const { facts, rotation, videoStreams } = await probe(source, { ffprobePath, openTimeoutMs, videoStream: 0, signal });
  const listed =
    source.kind === 'file'
      ? await packetTimes({
          ffprobePath,
          source,
          range: { streamIndex: facts.streamIndex ?? 0 },
          timeoutMs: COUNT_LIMIT_MS,
          signal,
        })
      : undefined;
  return {
    source: source.label,
    kind: source.kind,
    facts,
    videoStreams,
    frames: listed ? listed.packets - listed.discarded : null,
    keyframes: listed?.keyframes ?? null,
    rotation,
  };
}

function tell(fault: Fault): number {
  createLogger({ service: 'probe', level: 'info', format: 'json' }).fatal({ code: fault.code }, fault.message);
  return fault.exitStatus;
}

process.exitCode = await report(process.argv[2] ?? '').then(
  (found) => {
    process.stdout.write(`${JSON.stringify(found)}\n`);
    return 0;
  },
  (error: unknown) => tell(toFault(error)),
);
