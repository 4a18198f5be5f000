import { expect, test } from 'vitest';
import { type ServerEvent, serverEvents } from './server-events.ts';

test.each([1, 2, 7, 1000])(
  'events come whole out of chunks of %i bytes, without comments and what is cut off',
  async (size) => {
    const text =
      'retry: 1000\n\nid: 7\nevent: result\ndata: {"a":": é"}\n\n: still here\n\nid: 8\nevent: end\ndata: {}\n\nid: 9\ndata: {"cu';
    async function* chunks(): AsyncGenerator<Uint8Array, void, void> {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    }
    const events: ServerEvent[] = [];
    for await (const event of serverEvents(chunks())) events.push(event);
    expect(events).toEqual([
      { id: '7', event: 'result', data: '{"a":": é"}' },
      { id: '8', event: 'end', data: '{}' },
    ]);
  },
);
