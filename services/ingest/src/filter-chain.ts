/**
 * ffmpeg's filters: lines about what is decoded and what is selected, the selection between them, and only then the
 * conversion (D3, D4).
 */

import { formatRational, type Rational } from '@stream-infer/core/rational';
import type { FrameFormat } from '@stream-infer/core/run';
import type { Size } from './geometry.ts';
import { EVEN, SIZE_MARKS } from './picture-sizes.ts';

/** Descriptors that ffmpeg inherits and writes its lines to. */
export const DECODED_FD = 3;
export const SELECTED_FD = 4;

/** Nearly everything else differs from one kind of processor to the next. */
const SAME_EVERYWHERE = 'flags=bilinear+accurate_rnd+bitexact';

export type FilterOptions = {
  readonly timeBase: Rational;
  /** A frame's time is when it was decoded. */
  readonly clocked: boolean;
  /** Times count from here, milliseconds since 1970: the first frame's is the beginning of a slot, of those that `fps` makes, which is nearest when it is decoded. */
  readonly origin?: { readonly atMs: number; readonly fps: Rational } | undefined;
  /** Of ffmpeg's select filter; undefined: every decoded frame comes out. */
  readonly selectExpression: string | undefined;
  readonly source: Size;
  readonly frame: FrameFormat;
};

/** The value of `-filter:v`. */
export function filterChain(options: FilterOptions): string {
  const { timeBase, clocked, origin, selectExpression, source, frame } = options;
  return [
    // The expression counts in these ticks.
    `settb=expr=${formatRational(timeBase)}`,
    ...(clocked ? ['setpts=expr=floor(RTCTIME/1000000/TB)'] : []),
    ...(origin === undefined ? [] : [`setpts=expr='${sinceOrigin(origin)}'`]),
    // Only frames that have metadata are printed.
    `metadata=mode=add:key=i:value=${EVEN}`,
    frameLines(DECODED_FD),
    ...(selectExpression === undefined ? [] : [`select=expr='${selectExpression}'`]),
    ...SIZE_MARKS,
    frameLines(SELECTED_FD),
    scale(source, frame),
    `format=${pixelFormatOf(frame)}`,
  ].join(',');
}

/**
 * Register 0: what is added to every time, 1: whether that is known. The first frame begins its slot, as that of a run does: how long it was on its
 * way is not to put the others at the edge of theirs. A clock that was set back is not to put it before the first slot.
 */
function sinceOrigin({ atMs, fps }: NonNullable<FilterOptions['origin']>): string {
  const slot = `max(0,floor((RTCTIME-${Math.round(atMs * 1_000)})/1000000*${fps.num}/${fps.den}+0.5))`;
  const ticks = `ceil(${slot}*${fps.den}/${fps.num}/TB-0.000001)`;
  return `if(not(ld(1))*not(isnan(PTS)),st(0,${ticks}-PTS);st(1,1));PTS+ld(0)`;
}

/** Written at once, so that a line is never later than its picture. */
const frameLines = (fd: number): string => `metadata=mode=print:key=i:file='pipe\\:${fd}':direct=1`;

/**
 * Always there, so that a source that changes its size on the way still yields frames of this one. yuv420p is what preprocessing
 * takes it for, BT.601 in limited range; a JPEG is BT.601 in full range by definition.
 */
function scale(source: Size, { width, height, pixelFormat, encoding }: FrameFormat): string {
  const options = [`scale=${width}:${height}`];
  if (width !== source.width || height !== source.height) options.push(SAME_EVERYWHERE);
  if (encoding === 'jpeg') options.push('out_color_matrix=bt601', 'out_range=pc');
  else if (pixelFormat === 'yuv420p') options.push('out_color_matrix=bt601', 'out_range=tv');
  return options.join(':');
}

const pixelFormatOf = ({ pixelFormat, encoding }: FrameFormat): string =>
  encoding === 'jpeg' ? 'yuvj420p' : pixelFormat;
