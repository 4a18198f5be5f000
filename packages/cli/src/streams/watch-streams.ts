/** What streams are doing, as it changes: a line for each that differs from what was told of it last. */

import { setTimeout as wait } from 'node:timers/promises';
import { toFault } from '@stream-infer/core/fault';
import type { StreamReport } from '@stream-infer/core/stream-report';
import { isRegistered } from './stream-text.ts';
import type { StreamsClient } from './streams-client.ts';

export type StreamWatch = {
  /** Only these; all that are registered where it is empty. */
  readonly ids: readonly string[];
  readonly describe: (stream: StreamReport) => string;
  readonly print: (line: string) => void;
  /** Told of an API that was there and is not, once. */
  readonly onFault: (line: string) => void;
  /** Whether somebody still reads. */
  readonly isRead: () => boolean;
};

const EVERY_MS = 1_000;

/** Until nobody reads any more. Throws what keeps the first look from being taken. */
export async function watchStreams(client: StreamsClient, watch: StreamWatch): Promise<void> {
  const told = new Map<string, string>();
  const tell = (streams: readonly StreamReport[]): void => {
    for (const stream of streams) {
      // What is removed while it is watched is told of once more.
      const isMeant =
        watch.ids.length === 0 ? isRegistered(stream) || told.has(stream.id) : watch.ids.includes(stream.id);
      if (!isMeant) continue;
      const line = watch.describe(stream);
      if (told.get(stream.id) !== line) watch.print(line);
      told.set(stream.id, line);
    }
  };
  for (const id of watch.ids) await client.get(id);
  tell(await client.list());
  let fault = '';
  while (watch.isRead()) {
    await wait(EVERY_MS);
    try {
      tell(await client.list());
      fault = '';
    } catch (error) {
      const line = String(toFault(error));
      if (line !== fault) watch.onFault(line);
      fault = line;
    }
  }
}
