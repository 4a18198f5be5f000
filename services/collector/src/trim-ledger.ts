/**
 * What has been stored and still stands in RESULTS, by subject: which subjects are worth trimming, and up to where (EX-7). Pure; a subject
 * is an opaque name here.
 */

export type TrimPlan = { readonly subject: string /** Messages before this sequence go. */; readonly before: number };

type Entry = {
  readonly last: number;
  readonly bytes: number;
  /** From here on messages are needed by the subject's readers on the bus; Infinity where only the last is. */
  readonly neededFrom: number;
  /** Where it was trimmed last. */
  readonly trimmedBefore: number;
};

const NEW: Entry = { last: 0, bytes: 0, neededFrom: Number.POSITIVE_INFINITY, trimmedBefore: 0 };

export type TrimLedger = {
  /** A message of the subject is stored and acknowledged. */
  stored(message: {
    readonly subject: string;
    readonly sequence: number;
    readonly bytes: { readonly length: number };
    readonly neededFrom?: number;
    /** It is the end of a run, whose subjects begin so: nothing of it is needed any more. */
    readonly resultSubjects?: string;
  }): void;
  /** A message of the subject was, before this process began. */
  found(subject: string, sequence: number, neededFrom?: number): void;
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
    stored({ subject, sequence, bytes, neededFrom = NEW.neededFrom, resultSubjects }) {
      const entry = entries.get(subject) ?? NEW;
      entries.set(subject, { ...entry, last: sequence, bytes: entry.bytes + bytes.length, neededFrom });
      if (resultSubjects === undefined) return;
      for (const [name, one] of entries)
        if (name.startsWith(resultSubjects)) entries.set(name, { ...one, neededFrom: NEW.neededFrom });
    },
    found(subject, sequence, neededFrom = NEW.neededFrom) {
      if (!entries.has(subject)) entries.set(subject, { ...NEW, last: sequence, neededFrom });
    },
    isEmpty: () => entries.size === 0,
    plan: (limit, acknowledged) =>
      [...entries]
        .sort(([, a], [, b]) => b.bytes - a.bytes)
        // The subject's last message stays, whoever has acknowledged it.
        .map(([subject, { last, neededFrom, trimmedBefore }]) => ({
          subject,
          before: Math.min(last, acknowledged + 1, neededFrom),
          trimmedBefore,
        }))
        .filter(({ before, trimmedBefore }) => before > trimmedBefore)
        .slice(0, limit)
        .map(({ subject, before }) => ({ subject, before })),
    trimmed({ subject, before }) {
      const entry = entries.get(subject);
      if (entry === undefined) return;
      if (entry.last <= before) entries.delete(subject);
      else entries.set(subject, { ...entry, trimmedBefore: before });
    },
    clear: () => entries.clear(),
  };
}
