import { expect, test } from 'vitest';
import { toldFault } from './told-fault.ts';

test('a fault is told in one short line, without what a URL holds back', () => {
  const message = `rtsp://anna:secret@10.0.0.7/1 refuses\n  the connection ${'x'.repeat(1_000)}`;
  const told = toldFault({ code: 'SOURCE_UNREACHABLE', message });
  expect(told.code).toBe('SOURCE_UNREACHABLE');
  expect(told.message).toMatch(/^rtsp:\/\/\S+@10\.0\.0\.7\/1 refuses the connection x+$/);
  expect(told.message).not.toContain('secret');
  expect(told.message.length).toBeLessThanOrEqual(300);
});
