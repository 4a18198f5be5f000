import { describe, expect, test } from 'vitest';
import { ConnectionGate, connectionHost, type Leave } from './connection-gate.ts';
import { sourceOf } from './source.ts';

const { signal } = new AbortController();
/** Lets everything that is due run. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Tells who is let in, in order. */
function queue(gate: ConnectionGate, host: string | undefined) {
  const entered: number[] = [];
  const leaves = new Map<number, Leave>();
  const enter = (who: number, until = signal): Promise<void> =>
    gate.enter(host, until).then((leave) => {
      entered.push(who);
      leaves.set(who, leave);
    });
  return { entered, leaves, enter };
}

describe('attempts at one host', () => {
  test('are let in up to the limit, and then by the order of coming', async () => {
    const gate = new ConnectionGate(4);
    const { entered, leaves, enter } = queue(gate, 'cam');
    const all = Array.from({ length: 7 }, (_, who) => enter(who));
    await settle();
    expect(entered).toEqual([0, 1, 2, 3]);
    leaves.get(2)?.();
    await settle();
    expect(entered).toEqual([0, 1, 2, 3, 4]);
    for (const who of [0, 1, 3, 4]) leaves.get(who)?.();
    await Promise.all(all);
    expect(entered).toEqual([0, 1, 2, 3, 4, 5, 6]);
    for (const who of [5, 6]) leaves.get(who)?.();
    expect(gate.busyHosts).toBe(0);
  });

  test('do not wait for those at another host, nor those at none for any', async () => {
    const gate = new ConnectionGate(1);
    await gate.enter('one', signal);
    await gate.enter('two', signal);
    await gate.enter(undefined, signal);
    await gate.enter(undefined, signal);
    expect(gate.busyHosts).toBe(2);
  });

  test('give a place back once, however often they leave', async () => {
    const gate = new ConnectionGate(1);
    const { entered, leaves, enter } = queue(gate, 'cam');
    const all = [enter(0), enter(1), enter(2)];
    await settle();
    leaves.get(0)?.();
    leaves.get(0)?.();
    await settle();
    expect(entered).toEqual([0, 1]);
    leaves.get(1)?.();
    await Promise.all(all);
    leaves.get(2)?.();
    expect(gate.busyHosts).toBe(0);
  });

  test('that are given up while they wait leave the line, and no place is lost with them', async () => {
    const gate = new ConnectionGate(1);
    const { entered, leaves, enter } = queue(gate, 'cam');
    const giveUp = new AbortController();
    const first = enter(0);
    const second = enter(1, giveUp.signal);
    const third = enter(2);
    giveUp.abort(new Error('given up'));
    await expect(second).rejects.toThrow('given up');
    await expect(enter(3, giveUp.signal)).rejects.toThrow('given up');
    await first;
    leaves.get(0)?.();
    await third;
    expect(entered).toEqual([0, 2]);
    leaves.get(2)?.();
    expect(gate.busyHosts).toBe(0);
  });
});

describe('the host of a source', () => {
  test.each([
    ['rtsp://user:secret@CAM-1:8554/live', 'cam-1'],
    ['rtsp://cam-1/other', 'cam-1'],
    ['http://127.0.0.1:8080/a.m3u8?token=x', '127.0.0.1'],
    ['rtsp://user:p@ss@cam:port/live', 'cam'],
    ['lavfi:testsrc2', undefined],
    ['v4l2:/dev/video0', undefined],
    ['/videos/clip.mp4', undefined],
    ['udp://:5000', undefined],
  ])('%s is %s', (text, host) => expect(connectionHost(sourceOf(text, text, 1))).toBe(host));
});
