// Counts the bright pixels of each window's newest frame: an algorithm in ten lines.
export default class Counter {
  run(frames, { options }) {
    const frame = frames.at(-1);
    const threshold = options.threshold ?? 200;
    let bright = 0;
    for (const value of frame.data) if (value >= threshold) bright += 1;
    return { frame: frame.index, bright: bright / frame.data.length };
  }
}
