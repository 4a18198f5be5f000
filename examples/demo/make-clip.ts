/**
 * Draws the demo's clip and encodes it: `node examples/demo/make-clip.ts` writes demo.mp4 beside this file.
 *
 * The frames are the same everywhere; what the encoder makes of them depends on its version.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { CLIP_FPS, CLIP_FRAMES, CLIP_HEIGHT, CLIP_WIDTH, clipSample } from './clip.ts';

const INPUT = `-f rawvideo -pix_fmt rgb24 -video_size ${CLIP_WIDTH}x${CLIP_HEIGHT} -framerate ${CLIP_FPS} -i pipe:0`;
const COLOURS = '-vf scale=out_color_matrix=bt601 -colorspace smpte170m -color_range tv';
const CODEC = '-c:v libx264 -preset veryslow -crf 26 -pix_fmt yuv420p -g 60 -threads 1';
const FILE = '-fflags +bitexact -flags:v +bitexact -movflags +faststart';

const path = process.argv[2] ?? fileURLToPath(new URL('demo.mp4', import.meta.url));
const options = `-hide_banner -loglevel error -y ${INPUT} ${COLOURS} ${CODEC} ${FILE}`.split(' ');
const ffmpeg = spawn('ffmpeg', [...options, path], { stdio: ['pipe', 'inherit', 'inherit'] });
const closed = once(ffmpeg, 'close');
for (let index = 0; index < CLIP_FRAMES; index++) {
  if (!ffmpeg.stdin.write(clipSample(index).drawing.pixels)) await Promise.race([once(ffmpeg.stdin, 'drain'), closed]);
}
ffmpeg.stdin.end();
await closed;
if (ffmpeg.exitCode !== 0) throw new Error(`ffmpeg could not write ${path}: is libx264 among its encoders?`);
