import { expect, test } from 'vitest';
import { DecodeErrors } from './decode-errors.ts';

test('damage is told from complaints that cost no frame, with where it began', () => {
  const errors = new DecodeErrors();
  errors.push('[h264 @ 0x1] [error] mmco: unref short failure\n', 100);
  expect(errors.firstDamage).toBeUndefined();
  errors.push('[h264 @ 0x1] [error] Invalid NAL unit si', 200);
  errors.push('ze (-1 > 551).\n[h264 @ 0x1] [error] Error splitting the input into NAL units.\n', 300);
  expect(errors.firstDamage).toEqual({ ptsTicks: 300 });
  expect(errors.count).toBe(3);
});

test('a source that complains without end takes no memory for it', () => {
  const errors = new DecodeErrors();
  for (let i = 0; i < 1_000; i += 1) errors.push(`[error] ${'x'.repeat(2_000)} ${i}\n`, 0);
  errors.push('y'.repeat(100_000), 0);
  expect(errors.count).toBe(1_000);
  expect(errors.text.length).toBeLessThan(20 * 501 + 501);
});
