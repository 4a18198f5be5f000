/** Everything that is decided about a run before its first frame: from a spec and a probed source to ffmpeg's command line. */

import { compare, parseRational, type Rational, rational, toNumber } from '@stream-infer/core/rational';
import type { FrameFormat, SourceFacts } from '@stream-infer/core/run';
import { bufferCapacity, type SamplePlan, samplePlan } from '@stream-infer/core/sample-plan';
import type { Settings } from '@stream-infer/core/settings';
import type { StreamSpec } from '@stream-infer/core/stream-spec';
import { type EpochStart, firstSlotOf } from './epoch-start.ts';
import { decodeArguments } from './ffmpeg-command.ts';
import { filterChain } from './filter-chain.ts';
import { frameGeometry } from './geometry.ts';
import { probe } from './probe.ts';
import { selectExpression } from './select-expression.ts';
import type { Source } from './source.ts';
import { positionFault } from './source-fault.ts';

export type PreparedStream = {
  readonly source: Source;
  readonly facts: SourceFacts;
  readonly timeBase: Rational;
  /** Frames, as the container counts them. */
  readonly frameCount: number | undefined;
  /** Whether the facts are those of an earlier epoch, and nobody asked the source again. */
  readonly isAssumed: boolean;
  readonly frame: FrameFormat;
  readonly plan: SamplePlan;
  readonly start: EpochStart;
  /** The number of the first slot, and where it begins. */
  readonly slots: { readonly firstSlot: number; readonly originTicks: number | undefined };
  /** Of the frame buffer, in published frames. */
  readonly capacity: number;
  readonly notices: readonly string[];
  /** Whether ffmpeg holds back what is not needed. */
  readonly selective: boolean;
  /** Whether frames are to be held back here until it is their time. */
  readonly paced: boolean;
  readonly decodeArguments: readonly string[];
};

export type PreparationContext = {
  readonly settings: Settings<'ingest'>;
  readonly source: Source;
  /** With which frame the epoch begins. */
  startOf(plan: SamplePlan, facts: SourceFacts): EpochStart;
  /** Of a live source that an earlier epoch of the run played. */
  readonly known: SourceFacts | undefined;
  /** Whether the source may be another by now; then of what is known only its rate is taken, since a run has one (EX-8). */
  readonly isLost: boolean;
  /** The first picture is wanted when it comes: another epoch plays until then. */
  readonly prompt: boolean;
  readonly maxPayloadBytes: number;
  readonly signal: AbortSignal;
};

/** In realtime more is warned about: few algorithms keep up. */
const FAST_FPS = rational(30);
/** A live source may play this long before its times are too large to count with exactly: 100 days. */
const LONGEST_LIVE_SECONDS = 100 * 86_400;
/** Containers are wrong about their duration, but not by more than this factor. */
const DURATION_MARGIN = 10;

/** Throws the fault of a stream that cannot be played. */
export async function prepareStream(spec: StreamSpec, context: PreparationContext): Promise<PreparedStream> {
  const { source, known, isLost, maxPayloadBytes } = context;
  const isAssumed = known !== undefined && !isLost && spec.mode === 'realtime';
  const { facts, frameCount } = isAssumed ? { facts: known } : await probed(spec, context);
  const { streamIndex = 0, clocked = false } = facts;
  const timeBase = fractionOf(facts.timeBase);
  const plan = samplePlan(spec, facts);
  checkPosition(source, plan, facts);
  const { frame, notices } = frameGeometry({ spec, source: facts, maxPayloadBytes });
  const longestSeconds = facts.live ? LONGEST_LIVE_SECONDS : DURATION_MARGIN * (facts.durationSeconds ?? 3_600);
  const start = context.startOf(plan, facts);
  const origin = start.kind === 'onward' ? { atMs: start.atMs, fps: plan.fps } : undefined;
  const slots = { firstSlot: firstSlotOf(start), originTicks: origin && 0 };
  const expression = selectExpression(plan, { timeBase, longestSeconds, ...slots });
  const natural = spec.mode === 'realtime' && (!facts.live || source.generated);
  // ffmpeg's own pace would spend the time before the start position as well.
  const fromStart = plan.position.num === 0 && start.kind !== 'again';
  return {
    source,
    facts,
    timeBase,
    frameCount,
    isAssumed,
    frame,
    plan,
    start,
    slots,
    capacity: bufferCapacity(plan, spec.mode),
    notices: [...notices, ...rateNotices(spec, plan, facts)],
    selective: expression !== undefined,
    paced: natural && !fromStart,
    decodeArguments: decodeArguments({
      source,
      streamIndex,
      threads: context.settings.ffmpegThreads,
      paced: natural && fromStart,
      prompt: context.prompt,
      filters: filterChain({ timeBase, clocked, origin, selectExpression: expression, source: facts, frame }),
      encoding: frame.encoding,
    }),
  };
}

function probed({ videoStream }: StreamSpec, { settings, source, known, signal }: PreparationContext) {
  const { ffprobePath, openTimeoutMs } = settings;
  const rate = known && { knownFps: fractionOf(known.fps) };
  return probe(source, { ffprobePath, openTimeoutMs, videoStream, signal, ...rate });
}

/** Of facts, which hold none but these. */
const fractionOf = (text: string): Rational => parseRational(text) as Rational;

function checkPosition(source: Source, { position }: SamplePlan, { durationSeconds }: SourceFacts): void {
  const seconds = toNumber(position);
  if (durationSeconds !== undefined && seconds > 0 && seconds >= durationSeconds)
    throw positionFault(source, seconds, durationSeconds);
}

function rateNotices(
  { id, mode, fps: asked }: StreamSpec,
  { fps, sourceFps }: SamplePlan,
  { live }: SourceFacts,
): string[] {
  const notices: string[] = [];
  const rate = toNumber(fps);
  if (live && asked !== undefined && compare(fps, fractionOf(asked)) < 0)
    notices.push(
      `stream ${id}: the camera sends ${toNumber(sourceFps).toFixed(2)} frames a second, below fps ${asked}: it is played at its own rate, and intervals count in that`,
    );
  if (mode === 'realtime' && compare(fps, FAST_FPS) > 0)
    notices.push(
      `stream ${id}: ${rate.toFixed(2)} fps in realtime leave an algorithm ${(1_000 / rate).toFixed(0)} ms a frame, and what is late is dropped: set fps lower if that is too little`,
    );
  return notices;
}
