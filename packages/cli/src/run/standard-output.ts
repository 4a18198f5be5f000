/** Standard output as something to write results into: it is not ours to end. */

import { Writable } from 'node:stream';

/** @param onGone called when its reader has gone away, such as `head`, which has had enough: that is no error. */
export function standardOutput(onGone: () => void = () => undefined): Writable {
  const { stdout } = process;
  return new Writable({
    write: (chunk: Uint8Array, _encoding, done) => {
      stdout.write(chunk, (error) => {
        const isGone = error && 'code' in error && error.code === 'EPIPE';
        if (isGone) onGone();
        done(isGone ? null : error);
      });
    },
  });
}
