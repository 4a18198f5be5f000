/** How long results are kept: a pure decision, from the limits and what the store holds. */

export type RetentionLimits = {
  /** Results stored longer ago go; 0 keeps all. */
  readonly days: number;
  /** The oldest results go while the store uses more bytes; 0 keeps all. */
  readonly bytes: number;
};

export type StoreState = {
  readonly usedBytes: number;
  /** Undefined where the store holds no result. */
  readonly oldestStoredAtMs: number | undefined;
};

/** What is to be removed next, oldest first. */
export type RetentionStep =
  | { readonly kind: 'none' }
  /** What was stored before then. */
  | { readonly kind: 'age'; readonly beforeMs: number }
  /** The oldest, whatever their age. */
  | { readonly kind: 'bytes' };

const DAY_MS = 86_400_000;

/** What was stored before this is too old, in milliseconds since 1970; 0 where nothing is. */
export const retentionCutoffMs = ({ days }: RetentionLimits, nowMs: number): number =>
  days > 0 ? nowMs - days * DAY_MS : 0;

export function retentionStep(limits: RetentionLimits, state: StoreState, nowMs: number): RetentionStep {
  if (state.oldestStoredAtMs === undefined) return { kind: 'none' };
  const beforeMs = retentionCutoffMs(limits, nowMs);
  if (state.oldestStoredAtMs < beforeMs) return { kind: 'age', beforeMs };
  if (limits.bytes > 0 && state.usedBytes > limits.bytes) return { kind: 'bytes' };
  return { kind: 'none' };
}

/** Free bytes of the file to give back. An eighth of what is in use stays, for the results that come next. */
export const surplusBytes = ({
  usedBytes,
  fileBytes,
}: {
  readonly usedBytes: number;
  readonly fileBytes: number;
}): number => Math.max(0, fileBytes - usedBytes - Math.ceil(usedBytes / 8));
