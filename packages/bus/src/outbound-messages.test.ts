import fc from 'fast-check';
import { expect, test } from 'vitest';
import { joinSmall, OutboundMessages } from './outbound-messages.ts';

const part = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.integer({ min: 16_000, max: 17_000 }).map((size) => new Uint8Array(size).fill(size)),
);

test('joined, the bytes are the same in the same order', () => {
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      expect(Buffer.concat(joinSmall(parts)).equals(Buffer.concat(parts))).toBe(true);
    }),
  );
});

test('a large part keeps its memory, and small neighbours become one', () => {
  const frame = new Uint8Array(200_000);
  const small = new Uint8Array([1, 2]);
  const pieces = joinSmall([small, small, frame, small, small, small]);
  expect(pieces.map(({ byteLength }) => byteLength)).toEqual([4, 200_000, 6]);
  expect(pieces[1]).toBe(frame);
});

test('draining sends all but the last piece, returns that, and leaves nothing', () => {
  const sent: number[] = [];
  const outbound = new OutboundMessages((pieces) => sent.push(...pieces.map(({ byteLength }) => byteLength)));
  outbound.fill(new Uint8Array(10), new Uint8Array(100_000), new Uint8Array(2));
  expect(outbound.drain().byteLength).toBe(2);
  expect(sent).toEqual([10, 100_000]);
  expect(outbound.size()).toBe(0);
  expect(outbound.length()).toBe(0);
  expect(outbound.drain().byteLength).toBe(0);
});
