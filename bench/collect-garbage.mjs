/**
 * Loaded before a measured process's own code, in its worker threads too: SIGUSR2 collects its garbage, so that what it holds can be told
 * from what V8 has yet to collect.
 */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { BroadcastChannel, isMainThread } from 'node:worker_threads';

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
  channel.onmessage = () => collect();
}
