/**
 * Starts ffmpeg and ffprobe on a source. What is secret of it goes to their standard input, and of this service's environment, which holds
 * the passwords of cameras and of the bus, they get what they need (I8).
 */

import type { ChildProcess } from 'node:child_process';
import { spawnOwned } from '@stream-infer/service-kit/owned-process';
import type { Source } from './source.ts';

/** Where programs, libraries, certificates, devices and displays are. */
const NEEDED =
  /^(PATH|HOME|USER|LOGNAME|LANG|LANGUAGE|TZ|TMPDIR|http_proxy|no_proxy|TEMP|TMP|SystemRoot|DISPLAY|XAUTHORITY|WAYLAND_DISPLAY|FREI0R_PATH|LC_.*|LD_.*|DYLD_.*|XDG_.*|SSL_CERT_.*|FONTCONFIG_.*|CUDA_.*|NVIDIA_.*|LIBVA_.*|VDPAU_.*|AV_LOG_.*)$/;

export function ffmpegEnvironment(own: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(own).filter(([name]) => NEEDED.test(name)));
}

type Output = 'pipe' | 'ignore';

/** @param outputs standard output, standard error, and more pipes. */
export function startOnSource(
  program: string,
  args: readonly string[],
  { script, proxy }: Pick<Source, 'script' | 'proxy'>,
  outputs: readonly Output[],
): ChildProcess {
  const child = spawnOwned(program, args, {
    env: { ...ffmpegEnvironment(process.env), ...(proxy !== undefined && { http_proxy: proxy, no_proxy: '' }) },
    stdio: [script === undefined ? 'ignore' : 'pipe', ...outputs],
  });
  // It may end before it has read.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(script?.text);
  return child;
}
