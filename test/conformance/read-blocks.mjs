// Reads the number that each frame of a counter video carries as 16 black or white blocks across its upper half, bit 0
// leftmost, out of the pixels alone.

const pixelBytes = { bgr24: 3, rgb24: 3, gray: 1, yuv420p: 1 };

function readNumber({ width, height, pixelFormat, data }) {
  const step = pixelBytes[pixelFormat];
  const row = Math.floor(height / 4) * width;
  let number = 0;
  for (let bit = 0; bit < 16; bit += 1) {
    const column = Math.floor(((bit + 0.5) * width) / 16);
    if (data[(row + column) * step] > 127) number |= 1 << bit;
  }
  return number;
}

export default class ReadBlocks {
  run(frames) {
    return { read: frames.map(readNumber), index: frames.map((frame) => frame.index) };
  }
}
