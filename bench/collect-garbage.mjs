/**
 * Loaded before a measured process's own code, in its worker threads too: SIGUSR2 collects its garbage, so that what it holds can be told
 * from what V8 has yet to collect. Threads take turns, so that what is measured is disturbed as little as can be; all have had theirs when the next
 * process is asked (system-sampler.ts).
 */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { BroadcastChannel, isMainThread, threadId } from 'node:worker_threads';

const TURNS = 5;
const TURN_MS = 50;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
const channel = new BroadcastChannel('collect-garbage');
channel.unref();
if (isMainThread) {
  process.on('SIGUSR2', () => {
    channel.postMessage('');
    collect();
  });
} else {
  channel.onmessage = () => setTimeout(() => collect(), (threadId % TURNS) * TURN_MS).unref();
}
