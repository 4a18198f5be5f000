"""Lets algorithms say `from stream_infer.algo import BaseAlgo` where the original library is not installed; where it is, Python takes its own."""


class BaseAlgo:
    """An algorithm: `init` is called once, before anything else; then `run` with each window, its frames oldest first."""

    def __init__(self, name=None):
        self.name = name or type(self).__name__

    def init(self):
        raise NotImplementedError

    def run(self, frames):
        raise NotImplementedError
