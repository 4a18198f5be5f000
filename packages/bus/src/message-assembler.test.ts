import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MessageAssembler, SHARED_MEMORY_BYTES } from './message-assembler.ts';

const message = (size: number, hasHeaders: boolean): Buffer => {
  const line = hasHeaders ? `HMSG inbox.1 7 12 ${size}\r\n` : `MSG inbox.1 7 ${size}\r\n`;
  // Payloads full of what looks like the protocol's own.
  const payload = Buffer.alloc(size, 'PING\r\nMSG a 1 9\r\n');
  return Buffer.concat([Buffer.from(line), payload, Buffer.from('\r\n')]);
};

const messages = fc.array(
  fc.oneof(
    fc.constantFrom('PING\r\n', 'PONG\r\n', '+OK\r\n', "-ERR 'Slow Consumer'\r\n").map((line) => Buffer.from(line)),
    fc.tuple(fc.nat(300), fc.boolean()).map(([size, hasHeaders]) => message(size, hasHeaders)),
    fc
      .tuple(fc.integer({ min: 65_000, max: 200_000 }), fc.boolean())
      .map(([size, hasHeaders]) => message(size, hasHeaders)),
  ),
  { minLength: 1, maxLength: 12 },
);

/** In one buffer that is used again, as the socket's is. */
function push(bytes: Buffer, cuts: readonly number[]): Uint8Array[] {
  const assembler = new MessageAssembler();
  const buffer = Buffer.alloc(bytes.byteLength);
  const pieces: Uint8Array[] = [];
  const ends = [...new Set(cuts.map((cut) => cut % bytes.byteLength)), bytes.byteLength].sort((a, b) => a - b);
  let from = 0;
  for (const end of ends) {
    const read = bytes.copy(buffer, 0, from, end);
    pieces.push(...assembler.push(buffer.subarray(0, read)));
    buffer.fill('!');
    from = end;
  }
  return pieces;
}

test('however the bytes are cut, pieces are whole messages, and a large one lies alone in its memory', () => {
  fc.assert(
    fc.property(messages, fc.array(fc.nat(), { maxLength: 30 }), (sent, cuts) => {
      const pieces = push(Buffer.concat(sent), cuts);
      const waiting = [...sent];
      for (const piece of pieces) {
        let rest = Buffer.from(piece);
        while (rest.byteLength > 0) {
          const next = waiting.shift() ?? Buffer.alloc(0);
          expect(rest.subarray(0, next.byteLength).equals(next)).toBe(true);
          if (next.byteLength > SHARED_MEMORY_BYTES) expect(piece.buffer.byteLength).toBe(next.byteLength);
          rest = rest.subarray(next.byteLength);
        }
      }
      expect(waiting).toEqual([]);
    }),
    { numRuns: 60 },
  );
});

test('what is no protocol at all is passed on for the parser to refuse', () => {
  const noise = Buffer.alloc(100_000, 'x');
  expect(Buffer.concat(push(noise, []))).toEqual(noise);
});
