/** A range of time keys: from `from`, which is in it, to `to`, which is not, so that ranges that meet share no result. */

/** Milliseconds, compared with the millisecond of a time key. */
export type TimeRange = { readonly fromMs: number; readonly toMs: number };

/** Decimal seconds, as time keys are written. */
export const TIME_PATTERN = '^[0-9]{1,9}(\\.[0-9]{1,9})?$';
/** The same in words. */
export const TIME_RULE = 'must be seconds, such as 60 or 12.5';

/** @param from,to decimal seconds; without them the range is open on that side. */
export const timeRange = (from: string | undefined, to: string | undefined): TimeRange => ({
  fromMs: from === undefined ? 0 : milliseconds(from),
  toMs: to === undefined ? Number.MAX_SAFE_INTEGER : milliseconds(to),
});

/** The first whole millisecond that is not before it, exactly. */
function milliseconds(seconds: string): number {
  const [whole = '', part = ''] = seconds.split('.');
  const beyond = /[1-9]/.test(part.slice(3)) ? 1 : 0;
  return Number(whole) * 1000 + Number(part.slice(0, 3).padEnd(3, '0')) + beyond;
}
