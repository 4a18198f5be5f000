import { expect, test } from 'vitest';
import { ffmpegEnvironment } from './ffmpeg-process.ts';

test('ffmpeg finds its libraries, certificates and devices, and learns no password (I8)', () => {
  const needed = { PATH: '/bin', LD_LIBRARY_PATH: '/opt/lib', NVIDIA_VISIBLE_DEVICES: 'all', SSL_CERT_FILE: '/ca' };
  const secret = { GATE_URL: 'rtsp://u:p@gate', NATS_URL: 'nats://u:p@bus', https_proxy: 'http://u:p@proxy' };
  expect(ffmpegEnvironment({ ...needed, ...secret })).toEqual(needed);
});
