/** Decodes a source as the ingest does, without a bus: what it would publish, and what its end marker would carry. */

import { createHash } from 'node:crypto';
import type { Fault } from '@stream-infer/core/fault';
import { ingestSettings, type Settings } from '@stream-infer/core/settings';
import type { StreamAlgorithm, StreamSpec } from '@stream-infer/core/stream-spec';
import { Decoder } from '../../services/ingest/src/decoder.ts';
import type { EpochStart } from '../../services/ingest/src/epoch-start.ts';
import { FrameLedger } from '../../services/ingest/src/frame-ledger.ts';
import { resolveSource } from '../../services/ingest/src/source.ts';
import { sourceEndFault } from '../../services/ingest/src/source-end.ts';
import { type PreparedStream, prepareStream } from '../../services/ingest/src/stream-preparation.ts';

export type DecodedPicture = {
  readonly n: number;
  readonly sourceIndex: number;
  readonly ptsTicks: number | undefined;
  /** `64x48`: before it was scaled. */
  readonly sourceSize: string;
  /** Of its bytes, as ffmpeg's framemd5 has it. */
  readonly md5: string;
};

export type DecodedSource = {
  readonly prepared: PreparedStream;
  readonly pictures: readonly DecodedPicture[];
  readonly ledger: FrameLedger;
  readonly fault: Fault | undefined;
};

export const everyFrame: StreamAlgorithm = {
  name: 'a',
  definition: 'a',
  frameCount: 1,
  frameStep: 0,
  intervalFrames: 1,
  timeoutMs: 1_000,
  maxInFlight: 8,
  maxAttempts: 3,
};

/** A spec with every default that the configuration would fill in. */
export const streamSpec = (source: string, different: Partial<StreamSpec> = {}): StreamSpec => ({
  id: 'cam',
  source,
  mode: 'offline',
  pixelFormat: 'bgr24',
  encoding: 'raw',
  position: '0',
  videoStream: 0,
  algorithms: [everyFrame],
  ...different,
});

const MAX_PAYLOAD_BYTES = 16 * 2 ** 20;

export type Circumstances = { readonly maxPayloadBytes?: number; readonly start?: EpochStart };

export async function prepare(
  spec: StreamSpec,
  given: Partial<Settings<'ingest'>> = {},
  { maxPayloadBytes = MAX_PAYLOAD_BYTES, start = { kind: 'first' } }: Circumstances = {},
): Promise<PreparedStream> {
  const settings = ingestSettings.parse(given);
  const source = await resolveSource(spec, { environment: process.env, openTimeoutMs: settings.openTimeoutMs });
  const { signal } = new AbortController();
  const startOf = () => start;
  const anew = { known: undefined, isLost: false, prompt: false };
  return prepareStream(spec, { settings, source, startOf, ...anew, maxPayloadBytes, signal });
}

export type DecodeSettings = {
  readonly settings?: Partial<Settings<'ingest'>>;
  /** Sees each picture's bytes before their buffer is used again. */
  readonly onPicture?: (data: Uint8Array, index: number) => void;
  /** Stops after so many pictures. */
  readonly most?: number;
  /** Default: as the first epoch of a run. */
  readonly start?: EpochStart;
};

export async function decode(
  source: string,
  different: Partial<StreamSpec> = {},
  { settings, onPicture, most = Number.POSITIVE_INFINITY, start = { kind: 'first' } }: DecodeSettings = {},
): Promise<DecodedSource> {
  const prepared = await prepare(streamSpec(source, different), settings, { start });
  const { plan, timeBase, selective, slots } = prepared;
  const ledger = new FrameLedger({ plan, timeBase, selective, ...slots });
  const decoder = new Decoder({ ffmpegPath: 'ffmpeg', prepared, ledger });
  const pictures: DecodedPicture[] = [];
  try {
    for await (const { n, sourceIndex, ptsTicks, data, needed, sourceSize } of decoder.frames()) {
      if (needed) {
        onPicture?.(data, sourceIndex);
        const size = sourceSize ? `${sourceSize.width}x${sourceSize.height}` : 'unknown';
        pictures.push({
          n,
          sourceIndex,
          ptsTicks,
          sourceSize: size,
          md5: createHash('md5').update(data).digest('hex'),
        });
      }
      decoder.recycle(data);
      if (pictures.length === most) return { prepared, pictures, ledger, fault: undefined };
    }
    const exit = await decoder.exited;
    const { signal } = new AbortController();
    const fault = await sourceEndFault({ prepared, ledger, errors: decoder.errors, exit }, 'ffprobe', signal);
    return { prepared, pictures, ledger, fault };
  } finally {
    await decoder.stop();
  }
}
