/**
 * Which decoded frames leave ffmpeg, as an expression of its `select` filter: those that are played and needed (D3), so that
 * nothing else is scaled, converted or copied. The ledger computes the same from the same plan and compares (frame-ledger.ts).
 *
 * ffmpeg evaluates in doubles. Every quantity here is an integer below 2^53, and so are the operands of every division, which
 * makes `floor(a/b)` exact (D6); where that cannot be promised there is no expression, and every decoded frame comes out.
 *
 * Registers of st() and ld(): 0 first presentation time, 1 k or n of this frame, 2 newest n, 3 whether 0 is set, 4 played,
 * 5 residue, 6 needed.
 */

import { divide, type Rational } from '@stream-infer/core/rational';
import type { Needed, SamplePlan } from '@stream-infer/core/sample-plan';

const EXACT = 2 ** 53;
/** More ranges than this cost more to evaluate than they save. */
const MOST_RANGES = 500;
/** 10^8 frames: 38 days at 30 a second. */
const MOST_FRAMES = 1e8;

export type SelectOptions = {
  /** Seconds per tick of the presentation times. */
  readonly timeBase: Rational;
  /** No presentation time lies further from the first, in seconds. */
  readonly longestSeconds: number;
  /** Sampling by time: the number of the first frame's slot. Default 1. */
  readonly firstSlot?: number;
  /** Where that slot begins, in ticks; with the first frame, where it is not given. */
  readonly originTicks?: number | undefined;
};

/** The expression, unquoted; undefined where every decoded frame is to come out. */
export function selectExpression(plan: SamplePlan, options: SelectOptions): string | undefined {
  const played = plan.sampling === 'index' ? playedByIndex(plan) : playedByTime(plan, options);
  const needed = neededTerms(plan.needed);
  if (played === undefined || needed === undefined) return undefined;
  if (played === '' && needed === '') return undefined;
  return [...(played === '' ? [numberAll(plan)] : [played]), ...(needed === '' ? ['ld(4)'] : [needed])].join(';');
}

/** Register 1 becomes n and register 4 whether the frame is played; empty where every frame is. */
function playedByIndex(plan: SamplePlan): string | undefined {
  const { num, den } = divide(plan.fps, plan.sourceFps);
  const { startIndex, firstN } = plan;
  if (num * MOST_FRAMES >= EXACT || den >= EXACT) return undefined;
  if (num === den && startIndex === 0) return '';
  return [
    `st(1,floor((n-${startIndex})*${num}/${den}))`,
    `st(4,gte(n,${startIndex})*gt(ld(1),floor((n-${startIndex}-1)*${num}/${den})))`,
    `st(1,ld(1)+${firstN})`,
  ].join(';');
}

const numberAll = ({ firstN }: SamplePlan): string => `st(1,n+${firstN});st(4,1)`;

/** The first frame of a slot is played: n = floor((pts - first + 1 ms) × fps) + 1, in ticks (p × ticks + q) / r. */
function playedByTime(
  plan: SamplePlan,
  { timeBase, longestSeconds, firstSlot = 1, originTicks }: SelectOptions,
): string | undefined {
  const slots = slotFraction(plan.fps, timeBase);
  const longestTicks = Math.ceil((longestSeconds * timeBase.den) / timeBase.num);
  if (slots.p * longestTicks + slots.q >= EXACT || slots.r >= EXACT) return undefined;
  return [
    originTicks === undefined ? 'if(not(isnan(pts))*not(ld(3)),st(0,pts);st(3,1))' : `st(0,${originTicks})`,
    `st(1,floor(((pts-ld(0))*${slots.p}+${slots.q})/${slots.r})+1)`,
    'st(4,gt(ld(1),ld(2)))',
    'if(ld(4),st(2,ld(1)))',
    ...(firstSlot > 1 ? [`st(1,ld(1)+${firstSlot - 1})`] : []),
    ...(plan.firstN > 1 ? [`st(4,ld(4)*gte(ld(1),${plan.firstN}))`] : []),
  ].join(';');
}

type SlotFraction = { readonly p: number; readonly q: number; readonly r: number };

/** (ticks × timeBase + 1/1000) × fps as (p × ticks + q) / r in lowest terms. */
function slotFraction(fps: Rational, timeBase: Rational): SlotFraction {
  const p = 1000n * BigInt(timeBase.num) * BigInt(fps.num);
  const q = BigInt(timeBase.den) * BigInt(fps.num);
  const r = 1000n * BigInt(timeBase.den) * BigInt(fps.den);
  const divisor = gcd(gcd(p, q), r);
  return { p: Number(p / divisor), q: Number(q / divisor), r: Number(r / divisor) };
}

const gcd = (a: bigint, b: bigint): bigint => (b === 0n ? a : gcd(b, a % b));

/** Whether the n in register 1 is needed, times whether it is played; empty where every played frame is. */
function neededTerms(needed: Needed): string | undefined {
  if (needed.kind === 'all') return '';
  const ranges = needed.sets.reduce((sum, set) => sum + set.ranges.length, 0);
  if (ranges > MOST_RANGES) return undefined;
  const sets = needed.sets.map(({ modulus, ranges }) =>
    [
      `st(5,mod(ld(1),${modulus}))`,
      `st(6,ld(6)+${ranges.map(([from, to]) => `between(ld(5),${from},${to})`).join('+')})`,
    ].join(';'),
  );
  return ['st(6,0)', ...sets, 'ld(4)*gt(ld(6),0)'].join(';');
}
