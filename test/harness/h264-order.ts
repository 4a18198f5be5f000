/**
 * An mp4 of H.264 with B-frames that does not say how many pictures may have to wait for one that is shown before them, as many a camera does not:
 * a decoder has to find out.
 */

/** As x264 writes it: its profile tells nothing of chroma. */
const MAIN = 77;
const SPS = 0x67;

/** Cuts off what the file's one sequence parameter set tells of usability (VUI), in place. Throws where it is of another profile than Main. */
export function forgetOrder(mp4: Buffer): void {
  const box = mp4.indexOf('avcC') + 4;
  // Version, profile, constraints, level, lengths, count; then its length.
  const size = mp4.readUInt16BE(box + 6);
  const at = box + 8;
  if (mp4[at] !== SPS || mp4[at + 1] !== MAIN) throw new Error('no sequence parameter set of the profile Main');
  const cut = escaped(withoutUsability(unescaped(mp4.subarray(at, at + size))));
  if (cut.length > size) throw new Error('it is longer without');
  // What is after the stop bit may be zeros.
  mp4.fill(0, at, at + size);
  cut.copy(mp4, at);
}

function withoutUsability(sps: Buffer): Buffer {
  const bits = [...sps].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  let at = 8 + 24;
  const read = (count: number): number => {
    at += count;
    return Number.parseInt(bits.slice(at - count, at) || '0', 2);
  };
  /** An Exp-Golomb code. */
  const number = (): number => {
    const zeros = bits.indexOf('1', at) - at;
    at += zeros;
    return read(zeros + 1) - 1;
  };
  const numbers = (count: number): void => {
    for (let i = 0; i < count; i += 1) number();
  };
  // Its id; the frame number's length.
  numbers(2);
  // The kind of picture order, and its length; reference frames; gaps; width and height.
  if (number() === 0) number();
  number();
  read(1);
  numbers(2);
  // Fields, direct inference, cropping.
  if (read(1) === 0) read(1);
  read(1);
  if (read(1) === 1) numbers(4);
  const cut = `${bits.slice(0, at)}01`;
  const bytes = cut.padEnd(Math.ceil(cut.length / 8) * 8, '0').match(/.{8}/g) ?? [];
  return Buffer.from(bytes.map((byte) => Number.parseInt(byte, 2)));
}

/** Without, and with, the 3 that keeps two zeros in a row from being taken for a start code. */
const unescaped = (nal: Buffer): Buffer => Buffer.from(nal.toString('latin1').replaceAll('\0\0\x03', '\0\0'), 'latin1');
function escaped(nal: Buffer): Buffer {
  const out: number[] = [];
  for (const byte of nal) {
    if (byte <= 3 && out.at(-1) === 0 && out.at(-2) === 0) out.push(3);
    out.push(byte);
  }
  return Buffer.from(out);
}
