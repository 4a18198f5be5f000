/** What callbacks put in and one loop takes out, in order. */

export type Inbox<T> = {
  put(item: T): void;
  /** The next item; undefined once the inbox is closed and empty. */
  take(): Promise<T | undefined>;
  /** Nothing is put in any more; idempotent. */
  close(): void;
};

export function createInbox<T>(): Inbox<T> {
  const items: T[] = [];
  let closed = false;
  let waiting: ((item: T | undefined) => void) | undefined;
  const hand = (item: T | undefined): boolean => {
    const taker = waiting;
    waiting = undefined;
    taker?.(item);
    return taker !== undefined;
  };
  return {
    put(item) {
      if (!closed && !hand(item)) items.push(item);
    },
    async take() {
      if (items.length > 0) return items.shift();
      if (closed) return undefined;
      return new Promise((resolve) => {
        waiting = resolve;
      });
    },
    close() {
      closed = true;
      hand(undefined);
    },
  };
}
