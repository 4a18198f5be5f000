/** A window that is due, as the message that a runner gets (R-8, G-8). */

import type { FrameHeader } from '@stream-infer/bus/frame-headers';
import type { Rational } from '@stream-infer/core/rational';
import type { PlannedAlgorithm } from '@stream-infer/core/sample-plan';
import type { Trigger } from '@stream-infer/core/schedule';
import { timeKey } from '@stream-infer/core/time-key';
import type { UpstreamResults } from '@stream-infer/core/upstream';
import { Encoding, type Frame, PixelFormat } from '@stream-infer/proto/stream_infer/v1/frame';
import type { Invocation } from '@stream-infer/proto/stream_infer/v1/invocation';

/** A frame of the buffer: what its headers tell, and where its bytes are. */
export type BufferedFrame = { readonly n: number; readonly sequence: number; readonly header: FrameHeader };

/** What all invocations of a run share. */
export type RunPlace = {
  readonly stream: string;
  readonly run: string;
  /** Name of the JetStream stream that holds the frames. */
  readonly frames: string;
  readonly fps: Rational;
};

/** Which of the sends of a window it is, from 1, and how long it may wait in milliseconds; 0 means for ever. */
export type Sending = {
  readonly attempt: number;
  readonly budgetMs: number;
  /** Of an algorithm with memory. */
  readonly state?: Invocation['state'];
};

const PIXEL_FORMATS: Readonly<Record<string, PixelFormat>> = {
  bgr24: PixelFormat.PIXEL_FORMAT_BGR24,
  rgb24: PixelFormat.PIXEL_FORMAT_RGB24,
  gray: PixelFormat.PIXEL_FORMAT_GRAY,
  yuv420p: PixelFormat.PIXEL_FORMAT_YUV420P,
};

const ENCODINGS: Readonly<Record<string, Encoding>> = { raw: Encoding.ENCODING_RAW, jpeg: Encoding.ENCODING_JPEG };

export function invocationMessage(
  { stream, run, frames: jetstream, fps }: RunPlace,
  { name, definition, frameCount, timeoutMs }: PlannedAlgorithm,
  { n, frames, inputs }: Trigger<BufferedFrame>,
  { attempt, budgetMs, state }: Sending,
): Invocation {
  return {
    id: `${stream}/${run}/${name}/${n}/${attempt}`,
    stream,
    run,
    algorithm: name,
    definition,
    n,
    key: timeKey(n, fps),
    window: { frames: frameCount === 0 ? [] : frames.map((frame) => frameMessage(frame, jetstream, fps)) },
    inputs: inputsMessage(inputs),
    timeoutMs,
    budgetMs,
    attempt,
    state,
  };
}

/** What its upstream said; a window with an error among these is not sent. */
function inputsMessage(inputs: UpstreamResults = new Map()): Invocation['inputs'] {
  const data = [...inputs].flatMap(([name, result]) =>
    result.kind === 'data' ? [[name, Buffer.from(result.json.buffer, result.json.byteOffset, result.json.length)]] : [],
  );
  return Object.fromEntries(data) as Invocation['inputs'];
}

/** n / fps in parts that are safe integers both: halved, and so rounded in the 53rd bit, where an fps has very many digits. */
function positionOf(n: number, { num, den }: Rational): Pick<Frame, 'positionNumerator' | 'positionDenominator'> {
  let numerator = BigInt(n) * BigInt(den);
  let denominator = BigInt(num);
  while (numerator > Number.MAX_SAFE_INTEGER) {
    numerator >>= 1n;
    denominator >>= 1n;
  }
  return { positionNumerator: Number(numerator), positionDenominator: Number(denominator) };
}

function frameMessage({ n, sequence, header }: BufferedFrame, jetstream: string, fps: Rational): Frame {
  return {
    n,
    sourceIndex: header.sourceIndex,
    presentationTimeUs: header.presentationTimeUs,
    capturedAtMs: header.capturedAtMs,
    ...positionOf(n, fps),
    width: header.size.width,
    height: header.size.height,
    pixelFormat: PIXEL_FORMATS[header.pixelFormat] ?? PixelFormat.PIXEL_FORMAT_UNSPECIFIED,
    encoding: ENCODINGS[header.encoding] ?? Encoding.ENCODING_UNSPECIFIED,
    sourceWidth: header.sourceSize.width,
    sourceHeight: header.sourceSize.height,
    content: { $case: 'reference', value: { jetstream, sequence } },
  };
}
