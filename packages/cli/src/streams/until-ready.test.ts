import { Fault } from '@stream-infer/core/fault';
import { expect, test } from 'vitest';
import { untilReady } from './until-ready.ts';

function failing(...faults: readonly Fault[]) {
  const left = [...faults];
  return async (): Promise<string> => {
    const fault = left.shift();
    if (fault) throw fault;
    return 'done';
  };
}

const away = new Fault('API_UNREACHABLE', 'nobody is there');

test('what passes by itself is tried again, and told of once', async () => {
  const told: string[] = [];
  const patience = { limitMs: 10_000, pauseMs: 1, onWait: (fault: Fault) => void told.push(String(fault)) };
  expect(await untilReady(failing(away, away), patience)).toBe('done');
  expect(told).toEqual(['API_UNREACHABLE: nobody is there']);
});

test('what does not pass is refused at once, and so is everything where nobody waits', async () => {
  const wrong = new Fault('CONFIG_INVALID', 'fps is 0');
  await expect(untilReady(failing(wrong), { limitMs: 10_000, onWait: () => undefined })).rejects.toBe(wrong);
  await expect(untilReady(failing(away), { limitMs: 0, onWait: () => undefined })).rejects.toBe(away);
});
