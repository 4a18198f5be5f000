import { Fault, type FaultCode } from '@stream-infer/core/fault';
import { expect, test } from 'vitest';
import { sourceOf } from './source.ts';
import { jumpFault, openFault, positionFault, stallFault, timeoutFault } from './source-fault.ts';
import { mayReturn, sourceReason } from './source-reason.ts';

const camera = sourceOf('rtsp://u:secret@cam/live', 'rtsp://***@cam/live', 1);

test.each([
  ['an opening that failed', openFault(camera, '[rtsp @ 0x1] method DESCRIBE failed: 404 Not Found'), 'not-found'],
  ['an opening without an answer', timeoutFault(camera, 1_000), 'timeout'],
  ['a silence', stallFault(camera, 3, 10_000), 'no-frames'],
  ['a jump', jumpFault(camera, 3), 'timestamps-jumped'],
  ['a position', positionFault(camera, 3, 2), 'invalid'],
])('%s tells its own reason', (_, fault, reason) => expect(sourceReason(fault)).toBe(reason));

test.each([
  ['BUS_NO_ROOM', 'no-room'],
  ['BUS_FAILED', 'bus-away'],
  ['SOURCE_NOT_FOUND', 'not-found'],
  ['SIZE_TOO_LARGE', 'invalid'],
  ['INTERNAL', 'decode-errors'],
] as const satisfies readonly (readonly [FaultCode, string])[])('%s of elsewhere is %s', (code, reason) =>
  expect(sourceReason(new Fault(code, 'x'))).toBe(reason),
);

test('a stream that is configured wrongly or plays elsewhere is not opened again; whatever else is', () => {
  expect((['invalid', 'moved'] as const).map(mayReturn)).toEqual([false, false]);
  expect((['not-found', 'unauthorized', 'forbidden', 'ended', 'no-room'] as const).every(mayReturn)).toBe(true);
});
