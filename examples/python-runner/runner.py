"""A runner of stream-infer in Python, written from docs/protocol.md; the ids of its rules stand where they are kept.

Serves every BaseAlgo subclass of a module, under the name of its class: python runner.py algos.py --nats nats://127.0.0.1:4222
"""

import argparse
import asyncio
import json
import os
import pkgutil
import runpy
import secrets
import signal
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import grpc
import nats
import numpy as np
import stream_infer
from google.protobuf.json_format import ParseDict
from nats.js.errors import BucketNotFoundError
from nats.js.kv import KeyValue

# Where the original library is installed its package hides the folders of ours; what set-up generated is found all the same.
stream_infer.__path__ = pkgutil.extend_path(stream_infer.__path__, "stream_infer")

from canonical_json import canonical
from stream_infer.algo import BaseAlgo
from stream_infer.v1 import algo_runner_pb2 as wire
from stream_infer.v1 import algo_runner_pb2_grpc as service
from stream_infer.v1 import frame_pb2 as pixels
from stream_infer.v1.invocation_pb2 import Invocation
from stream_infer.v1.result_pb2 import Fault, Result, Timings

GRPC_OPTIONS = {  # G-10; the last two let callers ping as often as they do
    "grpc.max_receive_message_length": 64 << 20,
    "grpc.max_send_message_length": 64 << 20,
    "grpc.keepalive_time_ms": 2000,
    "grpc.keepalive_timeout_ms": 5000,
    "grpc.http2.max_pings_without_data": 0,
    "grpc.http2.min_ping_interval_without_data_ms": 1000,
}


class Failure(Exception):
    """What an invocation is answered with in place of data: a code of docs/faults.md and a line that says why."""

    def __init__(self, code: str, why: str) -> None:
        self.fault = Fault(code=code, message=" ".join(why.split()), not_started=code == "NOT_STARTED")


async def fetch(bus: nats.NATS, run: str, frame: pixels.Frame) -> bytes:
    """A direct get of the frame's message (F-8)."""
    place, which = frame.reference, f"frame {frame.n} of run {run}"
    try:
        asked = json.dumps({"seq": place.sequence}).encode()
        reply = await bus.request(f"$JS.API.DIRECT.GET.{place.jetstream}", asked, timeout=5)
    except nats.errors.Error as error:
        is_gone = isinstance(error, nats.errors.NoRespondersError)
        raise Failure("FRAME_GONE" if is_gone else "BUS_FAILED", f"{which}: {error!r}") from error
    said = reply.headers or {}
    if status := said.get("Status"):
        raise Failure("FRAME_GONE" if status == "404" else "BUS_FAILED", f"{which}: {status}")
    if (said.get("Si-Run"), said.get("Si-N")) != (run, str(frame.n)):
        raise Failure("FRAME_MISMATCH", f"message {place.sequence} of {place.jetstream} is not {which}")
    return reply.data


async def picture(bus: nats.NATS, run: str, frame: pixels.Frame) -> np.ndarray:
    """(height, width, 3) for bgr24 and rgb24, (height, width) for gray, (height × 3/2, width) for yuv420p."""
    if frame.encoding != pixels.ENCODING_RAW:
        raise Failure("ALGORITHM_FAILED", "this runner reads raw frames only: set the stream's encoding to raw")
    data = frame.inline if frame.HasField("inline") else await fetch(bus, run, frame)  # G-9
    height = frame.height * 3 // 2 if frame.pixel_format == pixels.PIXEL_FORMAT_YUV420P else frame.height
    colours = (3,) if frame.pixel_format in (pixels.PIXEL_FORMAT_BGR24, pixels.PIXEL_FORMAT_RGB24) else ()
    try:
        return np.frombuffer(data, np.uint8).reshape(height, frame.width, *colours)
    except ValueError as error:
        raise Failure("FRAME_MISMATCH", f"frame {frame.n} is not what its invocation says: {error}") from error


async def fetch_window(bus: nats.NATS, invocation: Invocation) -> list[np.ndarray]:
    """Oldest first; what stands in it twice is fetched once (G-8)."""
    distinct = {frame.n: frame for frame in invocation.window.frames}
    pictures = await asyncio.gather(*(picture(bus, invocation.run, frame) for frame in distinct.values()))
    return [dict(zip(distinct, pictures))[frame.n] for frame in invocation.window.frames]


def run(algorithm: BaseAlgo, window: list[np.ndarray]) -> bytes:
    """In the thread of the algorithm."""
    try:
        value = algorithm.run(window)
    except BaseException as error:  # sys.exit() ends the window as well, not the runner
        raise Failure("ALGORITHM_FAILED", f"{type(error).__name__}: {error}") from error
    try:
        data = canonical(value).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise Failure("RESULT_NOT_JSON", f"run returned {error}") from error
    if len(data) > 1 << 20:  # G-4
        raise Failure("RESULT_TOO_LARGE", f"run returned {len(data)} bytes of JSON, {1 << 20} are allowed")
    return data


class Held:
    """An invocation, and its place in the queue, which it leaves to the next of its stream where it is given back (G-5)."""

    def __init__(self, conversation: "Conversation", invocation: Invocation) -> None:
        self.conversation, self.invocation, self.since = conversation, invocation, time.monotonic()
        self.is_given_back = False


class Definition:
    """An algorithm that is served. Each of its instances has a thread, and runs one window at a time (G-12)."""

    def __init__(self, make: type[BaseAlgo], concurrency: int) -> None:
        self.make, self.concurrency, self.version = make, concurrency, str(getattr(make, "version", "1"))
        self.queue: list[Held] = []
        self.waiting = asyncio.Semaphore(0)

    def put(self, held: Held) -> None:
        for at, other in enumerate(self.queue):
            if other.is_given_back and other.invocation.stream == held.invocation.stream:
                self.queue[at] = held
                return
        self.queue.append(held)
        self.waiting.release()

    async def begin(self) -> tuple[ThreadPoolExecutor, BaseAlgo]:
        thread, algorithm = ThreadPoolExecutor(1), self.make()
        await asyncio.wrap_future(thread.submit(algorithm.init))
        return thread, algorithm

    async def work(self, bus: nats.NATS, instance: tuple[ThreadPoolExecutor, BaseAlgo]) -> None:
        while await self.waiting.acquire():
            held = self.queue.pop(0)
            if held.is_given_back:
                continue
            invocation, outcome = held.invocation, {}
            del held.conversation.waiting[invocation.id]
            try:
                window = await fetch_window(bus, invocation)
                began = time.monotonic()
                if 0 < invocation.budget_ms < (began - held.since) * 1000:
                    raise Failure("NOT_STARTED", f"it waited longer than {invocation.budget_ms} ms")
                running = asyncio.wrap_future(instance[0].submit(run, instance[1], window))
                if not (await asyncio.wait({running}, timeout=invocation.timeout_ms / 1000))[0]:
                    running.cancel()
                    raise Failure("ALGORITHM_TIMEOUT", f"run takes longer than {invocation.timeout_ms} ms")  # G-7
                outcome["data"] = running.result()
                outcome["timings"] = Timings(run_us=int((time.monotonic() - began) * 1e6), batch_windows=1)
            except Failure as failure:
                outcome["fault"] = failure.fault
            held.conversation.answer(invocation, version=self.version, **outcome)
            if "fault" in outcome and outcome["fault"].code == "ALGORITHM_TIMEOUT":
                instance = await self.begin()  # Python cannot end a thread: it is left to itself


class Conversation:
    """One scheduler's (G-2 to G-6): what it may send, what of it waits, what is said to it."""

    def __init__(self, runner: "Runner") -> None:
        self.runner = runner
        self.said: asyncio.Queue = asyncio.Queue()  # None, or a status and why, ends the conversation
        self.credits: Counter[str] = Counter()
        self.waiting: dict[str, Held] = {}  # by the invocation's id, until it starts
        self.unanswered, self.is_ending = 0, False
        self.breath: asyncio.Task | None = None  # from when it was greeted

    def say(self, **message) -> None:
        self.said.put_nowait(wire.InvokeResponse(**message))

    def grant(self, name: str, count: int) -> None:
        self.credits[name] += count
        self.say(credits=wire.Credits(definition=name, count=count))

    async def breathe(self) -> None:
        for name, definition in self.runner.definitions.items():
            self.grant(name, definition.concurrency + 1)
        while True:
            self.say(alive=wire.Alive())
            await asyncio.sleep(0.25)

    async def listen(self, requests) -> None:
        async for request in requests:
            kind = request.WhichOneof("message")
            if kind == "hello":
                self.breath = self.breath or asyncio.create_task(self.breathe())
            elif self.breath is None:
                self.said.put_nowait((grpc.StatusCode.FAILED_PRECONDITION, "the first message must be Hello"))
            elif kind == "invocation":
                self.accept(request.invocation)
            elif kind == "cancel" and request.cancel.invocation_id in self.waiting:
                self.give_back(request.cancel.invocation_id, "it was cancelled")
        self.end()

    def accept(self, invocation: Invocation) -> None:
        if self.credits[invocation.definition] == 0:
            return self.said.put_nowait((grpc.StatusCode.RESOURCE_EXHAUSTED, f"no credit for {invocation.definition}"))
        self.credits[invocation.definition] -= 1
        self.unanswered += 1
        held = self.waiting[invocation.id] = Held(self, invocation)
        self.runner.definitions[invocation.definition].put(held)
        if self.runner.is_draining:
            self.give_back(invocation.id, "the runner drains")

    def give_back(self, invocation_id: str, why: str) -> None:
        held = self.waiting.pop(invocation_id)
        held.is_given_back = True
        self.answer(held.invocation, fault=Failure("NOT_STARTED", why).fault)

    def answer(self, invocation: Invocation, **outcome) -> None:
        """The one result of an invocation, and the credit for another."""
        self.unanswered -= 1
        self.say(result=Result(invocation_id=invocation.id, **outcome))
        if self.is_ending:
            self.end()
        else:
            self.grant(invocation.definition, 1)

    def end(self) -> None:
        """With the last answer that is owed."""
        self.is_ending = True
        if self.unanswered == 0:
            self.said.put_nowait(None)

    def drain(self) -> None:
        self.say(draining=wire.Draining())
        self.is_ending = True
        for invocation_id in list(self.waiting):
            self.give_back(invocation_id, "the runner drains")
        self.end()


class Runner(service.AlgoRunnerServiceServicer):
    def __init__(self, definitions: dict[str, Definition]) -> None:
        self.id, self.definitions, self.is_draining = f"python-{secrets.token_hex(4)}", definitions, False
        self.conversations: set[Conversation] = set()

    def describe(self) -> dict:
        keys = ("definition", "version", "concurrency", "maxBatch")
        served = [dict(zip(keys, (name, one.version, one.concurrency, 1))) for name, one in self.definitions.items()]
        return {"version": "0.1.0", "algorithms": served}

    async def Describe(self, request, context) -> wire.DescribeResponse:
        return ParseDict({"runner": self.id, **self.describe()}, wire.DescribeResponse())

    async def Invoke(self, requests, context):
        conversation = Conversation(self)
        self.conversations.add(conversation)
        listening = asyncio.create_task(conversation.listen(requests))
        try:
            while message := await conversation.said.get():
                if isinstance(message, tuple):
                    await context.abort(*message)
                yield message
        finally:
            self.conversations.remove(conversation)
            for task in filter(None, (listening, conversation.breath)):
                task.cancel()
            for held in conversation.waiting.values():
                held.is_given_back = True

    async def check(self, request: bytes, context) -> bytes:
        """grpc.health.v1.Health/Check (G-11) in bytes: its messages have one field each."""
        if request and request[2:] != b"stream_infer.v1.AlgoRunnerService":
            await context.abort(grpc.StatusCode.NOT_FOUND, "there is no such service")
        return b"\x08\x02" if self.is_draining else b"\x08\x01"

    async def register(self, bucket: KeyValue, address: str) -> None:
        """A beat each second, for as long as it can take work (G-1)."""
        record = {"id": self.id, "address": address, "startedAtMs": int(time.time() * 1000), **self.describe()}
        beat = 0
        while beat := beat + 1:
            try:
                await bucket.put(self.id, json.dumps(record | {"beat": beat}).encode())
            except nats.errors.Error as error:
                print(f"the bus does not take the beat: {error!r}", file=sys.stderr)
            await asyncio.sleep(1)

    async def drain(self) -> None:
        self.is_draining = True
        for conversation in self.conversations:
            conversation.drain()
        while self.conversations:
            await asyncio.sleep(0.02)


async def main(given: argparse.Namespace) -> None:
    inbox = f"{given.prefix}.inbox.algo-runner".encode()  # N-7
    bus = await nats.connect(given.nats, max_reconnect_attempts=-1, inbox_prefix=inbox, user_credentials=given.creds)
    try:
        bucket = await bus.jetstream().key_value(f"{given.prefix}_runners")
    except BucketNotFoundError:  # whoever comes first makes it (N-3)
        bucket = await bus.jetstream().create_key_value(bucket=f"{given.prefix}_runners", history=1, direct=True)
    sys.path.append(os.path.dirname(given.module))
    found = [one for one in runpy.run_path(given.module, run_name="algorithms").values() if isinstance(one, type)]
    own = [one for one in found if issubclass(one, BaseAlgo) and one.__module__ == "algorithms"]
    runner = Runner({make.__name__: Definition(make, given.concurrency) for make in own})
    server = grpc.aio.server(options=list(GRPC_OPTIONS.items()))
    service.add_AlgoRunnerServiceServicer_to_server(runner, server)
    health = {"Check": grpc.unary_unary_rpc_method_handler(runner.check)}
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("grpc.health.v1.Health", health)])
    host, _, _ = given.listen.rpartition(":")
    address = f"{host}:{server.add_insecure_port(given.listen)}"

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    team = [one for one in runner.definitions.values() for _ in range(one.concurrency)]
    instances = await asyncio.gather(*(one.begin() for one in team))
    workers = [asyncio.create_task(one.work(bus, instance)) for one, instance in zip(team, instances)]
    await server.start()
    beats = asyncio.create_task(runner.register(bucket, address))
    stopping = asyncio.create_task(stop.wait())
    print(f"{runner.id} serves {', '.join(runner.definitions)} at {address}", flush=True)
    ended, _ = await asyncio.wait({stopping, beats, *workers}, return_when=asyncio.FIRST_COMPLETED)
    beats.cancel()
    with suppress(nats.errors.Error):  # without the bus nobody reads the key
        await bucket.delete(runner.id)
    await runner.drain()
    await server.stop(1)
    for task in ended - {stopping}:
        task.result()  # raises what ended it


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description="Serves the BaseAlgo subclasses of a module to stream-infer.")
    arguments.add_argument("module", help="the file with the algorithms")
    arguments.add_argument("--nats", default="nats://127.0.0.1:4222", help="where the bus is")
    arguments.add_argument("--creds", help="a credentials file of NATS; a user and password may stand in the address")
    arguments.add_argument("--prefix", default="stream-infer", help="natsPrefix of the configuration")
    arguments.add_argument("--listen", default="127.0.0.1:0", help="where schedulers reach it; port 0 takes a free one")
    arguments.add_argument("--concurrency", type=int, default=1, help="instances of each algorithm")
    asyncio.run(main(arguments.parse_args()))
    os._exit(0)  # a thread that overran its time may still run
