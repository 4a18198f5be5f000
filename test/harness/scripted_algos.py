"""Algorithms for tests of the Python runner."""

import time

from stream_infer.algo import BaseAlgo


class Scripted(BaseAlgo):
    """Its newest frame says what it does: 1 sleeps, 2 throws, 3 exits, 4 returns no JSON, 5 too much; else it tells what it was handed."""

    def init(self):
        self.runs = 0

    def run(self, frames):
        self.runs += 1
        what = int(frames[-1][0, 0])
        if what == 1:
            time.sleep(0.8)
        if what == 2:
            raise KeyError("no\nsuch thing")
        if what == 3:
            raise SystemExit(1)
        if what == 4:
            return {"score": float("nan")}
        if what == 5:
            return "x" * 2**20
        shapes = [frame.shape for frame in frames]
        return {"runs": self.runs, "shapes": shapes, "sum": frames[-1].sum(), "small": 1e-7}
