"""An algorithm that the runner serves: its queue and its instances."""

import asyncio
import time

from conversation import Place
from instance import Failure, Instance
from stream_infer.v1.result_pb2 import Timings


class Definition:
    def __init__(self, make, concurrency):
        self.make = make
        self.concurrency = concurrency
        self.version = str(getattr(make, "version", "1"))
        self.places = asyncio.Queue()
        self.queued = []  # the same places, to look for an empty one

    def place_for(self, stream):
        for place in self.queued:
            if place.stream == stream and place.invocation is None:
                return place
        place = Place(stream)
        self.queued.append(place)
        self.places.put_nowait(place)
        return place

    async def work(self, instance):
        """For ever; ends only where the `init` of a new instance fails."""
        while True:
            place = await self.places.get()
            self.queued.remove(place)
            if place.invocation is None:
                continue
            invocation, conversation = place.invocation, place.conversation
            del conversation.waiting[invocation.id]
            times = [place.since, time.monotonic()]
            try:
                frames = await place.window
                times.append(time.monotonic())
                if place.is_stale:
                    raise Failure("NOT_STARTED", f"it waited longer than {invocation.budget_ms} ms", not_started=True)
                outcome = {"data": await instance.answer(frames, invocation.timeout_ms)}
            except Failure as failure:
                outcome = {"fault": failure.fault}
            times += [time.monotonic()] * (4 - len(times))
            queue_us, fetch_us, run_us = (min(int((end - start) * 1e6), 2**32 - 1) for start, end in zip(times, times[1:]))
            timings = Timings(queue_us=queue_us, fetch_us=fetch_us, run_us=run_us, batch_windows=1)
            conversation.answer(invocation, self.version, timings=timings, **outcome)
            if "fault" in outcome and outcome["fault"].code == "ALGORITHM_TIMEOUT":
                instance = Instance(self.make)
                await instance.ready
