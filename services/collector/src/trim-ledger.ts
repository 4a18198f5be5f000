/**
 * What has been stored and still stands in RESULTS, by subject: which subjects are worth trimming, and up to where (EX-7). Pure; a subject
 * is an opaque name here.
 */

export type TrimPlan = { readonly subject: string /** Messages before this sequence go. */; readonly before: number };

type Entry = { last: number; bytes: number };

export type TrimLedger = {
  /** A message of the subject is stored and acknowledged. */
  stored(message: {
    readonly subject: string;
    readonly sequence: number;
    readonly bytes: { readonly length: number };
  }): void;
  /** A message of the subject was, before this process began. */
  found(subject: string, sequence: number): void;
  /** Whether nothing stands there to be trimmed. */
  isEmpty(): boolean;
  /** The `limit` subjects of which the most can go, once every other sink has acknowledged up to `acknowledged`. */
  plan(limit: number, acknowledged: number): TrimPlan[];
  /** The plan's subject is trimmed. */
  trimmed(plan: TrimPlan): void;
  /** Forgets everything: sequences may be those of another RESULTS. */
  clear(): void;
};

export function createTrimLedger(): TrimLedger {
  const entries = new Map<string, Entry>();
  return {
    stored({ subject, sequence, bytes }) {
      const entry = entries.get(subject) ?? { last: 0, bytes: 0 };
      entries.set(subject, { last: sequence, bytes: entry.bytes + bytes.length });
    },
    found(subject, sequence) {
      if (!entries.has(subject)) entries.set(subject, { last: sequence, bytes: 0 });
    },
    isEmpty: () => entries.size === 0,
    plan: (limit, acknowledged) =>
      [...entries]
        .sort(([, a], [, b]) => b.bytes - a.bytes)
        .slice(0, limit)
        // The subject's last message stays, whoever has acknowledged it.
        .map(([subject, { last }]) => ({ subject, before: Math.min(last, acknowledged + 1) })),
    trimmed({ subject, before }) {
      if ((entries.get(subject)?.last ?? 0) <= before) entries.delete(subject);
    },
    clear: () => entries.clear(),
  };
}
