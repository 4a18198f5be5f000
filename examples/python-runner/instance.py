"""An instance of an algorithm and its thread: one window at a time (G-12)."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from canonical_json import NotJson, canonical
from stream_infer.v1.result_pb2 import Fault

MOST_BYTES = 1 << 20  # of a result (G-4)


class Failure(Exception):
    """An invocation's fault, by a code of docs/faults.md."""

    def __init__(self, code, message, not_started=False):
        self.fault = Fault(code=code, message=" ".join(message.split()), not_started=not_started)


class Instance:
    def __init__(self, make):
        self.thread = ThreadPoolExecutor(1)
        self.ready = asyncio.wrap_future(self.thread.submit(self.begin, make))

    def begin(self, make):
        self.algorithm = make()
        self.algorithm.init()

    async def answer(self, frames, timeout_ms):
        """Canonical JSON of what `run` returns. After ALGORITHM_TIMEOUT (G-7) the thread still runs: a new instance takes over."""
        running = asyncio.wrap_future(self.thread.submit(self.run, frames))
        done, _ = await asyncio.wait({running}, timeout=timeout_ms / 1000)
        if not done:
            running.cancel()
            raise Failure("ALGORITHM_TIMEOUT", f"run takes longer than {timeout_ms} ms")
        return running.result()

    def run(self, frames):
        try:
            value = self.algorithm.run(frames)
        except BaseException as error:  # sys.exit() ends the window as well, not the runner
            raise Failure("ALGORITHM_FAILED", f"{type(error).__name__}: {error}") from error
        try:
            data = canonical(value).encode()
        except (NotJson, RecursionError) as error:
            raise Failure("RESULT_NOT_JSON", f"run returned {error}") from error
        if len(data) > MOST_BYTES:
            raise Failure("RESULT_TOO_LARGE", f"run returned {len(data)} bytes of JSON, {MOST_BYTES} are allowed")
        return data
