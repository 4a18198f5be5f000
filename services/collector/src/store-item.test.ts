import { describe, expect, test } from 'vitest';
import { storeItem } from './store-item.ts';

const bytes = (value: unknown): Uint8Array =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
const item = (kind: 'result' | 'end', value: unknown) => storeItem({ kind, sequence: 7, bytes: bytes(value) });

const place = { stream: 'cam', run: 'r1', algorithm: 'faces', n: 12 };

describe('a message of RESULTS', () => {
  test('becomes an item with its place, its time in milliseconds and its text as it came', () => {
    const record = { ...place, key: '0.48', data: null };
    expect(item('result', record)).toEqual({
      kind: 'result',
      sequence: 7,
      ...place,
      keyMs: 480,
      rank: 1,
      text: JSON.stringify(record),
    });
  });

  test.each([
    ['0', 0],
    ['1', 1_000],
    ['0.001', 1],
    ['4.35', 4_350],
    ['123456789.123', 123_456_789_123],
  ])('the key %s is %i ms', (key, keyMs) => {
    expect(item('result', { ...place, key, data: 1 })).toMatchObject({ keyMs });
  });

  test('ranks an error below a success', () => {
    expect(item('result', { ...place, key: '1', error: { code: 'INTERNAL', message: 'x' } })).toMatchObject({
      rank: 0,
    });
  });

  test('is kept on one line', () => {
    const text = `{\n "stream": "cam", "run": "r1", "decoded": 1 }`;
    expect(item('end', text)).toMatchObject({ text: '{"decoded":1,"run":"r1","stream":"cam"}' });
  });

  test('shows no credential of a URL that a fault quotes', () => {
    const message = 'cannot open "rtsp://user:secret@host/a?token=abc": 401';
    const shown = 'cannot open "rtsp://***@host/a?token=***": 401';
    const result = item('result', { ...place, key: '1', error: { code: 'ALGORITHM_FAILED', message } });
    const end = item('end', { stream: 'cam', run: 'r1', fault: { code: 'SOURCE_LOST', message } });
    expect(JSON.parse(result?.text ?? '')).toMatchObject({ error: { code: 'ALGORITHM_FAILED', message: shown } });
    expect(JSON.parse(end?.text ?? '')).toMatchObject({ fault: { code: 'SOURCE_LOST', message: shown } });
  });

  test.each([
    ['no JSON', 'nonsense'],
    ['no object', '[]'],
    ['no name', { ...place, stream: 'a b', key: '1', data: 1 }],
    ['no number', { ...place, n: 1.5, key: '1', data: 1 }],
    ['no number that is safe', { ...place, n: 2 ** 53, key: '1', data: 1 }],
    ['no time key', { ...place, key: '1.2345', data: 1 }],
    ['neither data nor error', { ...place, key: '1' }],
    ['both', { ...place, key: '1', data: 1, error: { code: 'INTERNAL', message: 'x' } }],
  ])('with %s is none', (_, value) => {
    expect(item('result', value)).toBeUndefined();
  });

  test('with bytes that are no text is none', () => {
    expect(storeItem({ kind: 'end', sequence: 1, bytes: new Uint8Array([0x22, 0xff, 0x22]) })).toBeUndefined();
  });
});
