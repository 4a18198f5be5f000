"""Two algorithms as the original library has them: frames are numpy arrays, what `run` returns is JSON."""

import numpy as np
from stream_infer.algo import BaseAlgo


class Motion(BaseAlgo):
    """How much of the picture changed from the first frame of the window to the last, 0 to 1."""

    def init(self):
        self.threshold = 25

    def run(self, frames):
        change = np.abs(frames[-1].astype(np.int16) - frames[0])
        return {"moved": (change > self.threshold).mean().round(4)}


class ReadBlocks(BaseAlgo):
    """The number that each frame of a counter video carries: 16 black or white blocks across its upper half, bit 0 leftmost."""

    def init(self):
        self.weights = 1 << np.arange(16)

    def run(self, frames):
        return {"read": [self.number(frame.reshape(*frame.shape[:2], -1)[:, :, 0]) for frame in frames]}

    def number(self, picture):
        height, width = picture.shape
        columns = ((np.arange(16) + 0.5) * width / 16).astype(int)
        return int(self.weights[picture[height // 4, columns] > 127].sum())
