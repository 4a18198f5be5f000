"""A runner of stream-infer in Python, written from docs/protocol.md; the ids of its rules stand where they are kept.

Serves every BaseAlgo subclass of a module, under the name of its class: python runner.py algos.py --nats nats://127.0.0.1:4222
"""

import argparse
import asyncio
import contextlib
import importlib.util
import inspect
import json
import os
import pathlib
import pkgutil
import secrets
import signal
import sys
import time

import grpc
import nats
import nats.errors
import stream_infer
from nats.js.errors import BucketNotFoundError

# Where the original library is installed its package hides the folders of ours; what set-up generated is found all the same.
stream_infer.__path__ = pkgutil.extend_path(stream_infer.__path__, "stream_infer")

from stream_infer.algo import BaseAlgo
from stream_infer.v1 import algo_runner_pb2 as wire
from stream_infer.v1 import algo_runner_pb2_grpc as service

from conversation import Conversation, Refusal
from definition import Definition
from instance import Instance

VERSION = "0.1.0"
SERVING, NOT_SERVING = b"\x08\x01", b"\x08\x02"  # of grpc.health.v1.HealthCheckResponse
GRPC_OPTIONS = {  # G-10; the last lets callers ping as often as they do
    "grpc.max_receive_message_length": 64 << 20,
    "grpc.max_send_message_length": 64 << 20,
    "grpc.keepalive_time_ms": 2000,
    "grpc.keepalive_timeout_ms": 5000,
    "grpc.http2.max_pings_without_data": 0,
    "grpc.http2.min_ping_interval_without_data_ms": 1000,
}


class Runner(service.AlgoRunnerServiceServicer):
    def __init__(self, bus, algorithms, concurrency):
        self.id = f"python-{secrets.token_hex(4)}"
        self.bus = bus
        self.definitions = {make.__name__: Definition(make, concurrency) for make in algorithms}
        self.conversations = set()
        self.draining = False

    async def Invoke(self, requests, context):
        conversation = Conversation(self)
        self.conversations.add(conversation)
        listening = asyncio.create_task(conversation.listen(requests))
        try:
            while message := await conversation.said.get():
                if isinstance(message, Refusal):
                    await context.abort(*message.args)
                yield message
        finally:
            listening.cancel()
            self.conversations.remove(conversation)
            conversation.leave()

    async def Describe(self, request, context):
        algorithms = [
            wire.AlgorithmDescription(definition=name, version=one.version, concurrency=one.concurrency, max_batch=1)
            for name, one in self.definitions.items()
        ]
        return wire.DescribeResponse(runner=self.id, version=VERSION, algorithms=algorithms)

    async def check(self, request, context):
        """grpc.health.v1.Health/Check, in bytes: no package for two messages of one field (G-11)."""
        if request and request[2:] != b"stream_infer.v1.AlgoRunnerService":
            await context.abort(grpc.StatusCode.NOT_FOUND, "there is no such service")
        return NOT_SERVING if self.draining else SERVING

    async def register(self, bucket, address):
        """A beat each second, for as long as it can take work (G-1)."""
        algorithms = [
            {"definition": name, "version": one.version, "concurrency": one.concurrency, "maxBatch": 1}
            for name, one in self.definitions.items()
        ]
        record = {"id": self.id, "address": address, "version": VERSION, "algorithms": algorithms}
        record |= {"startedAtMs": int(time.time() * 1000), "beat": 0}
        while True:
            record["beat"] += 1
            try:
                await bucket.put(self.id, json.dumps(record).encode())
            except nats.errors.Error as error:
                print(f"the bus does not take the beat: {error!r}", file=sys.stderr)
            await asyncio.sleep(1)

    async def drain(self):
        """Every invocation that has started is answered, the others are given back (G-6)."""
        self.draining = True
        for conversation in self.conversations:
            conversation.drain()
        while any(conversation.held for conversation in self.conversations):
            await asyncio.sleep(0.05)
        for conversation in self.conversations:
            conversation.end()


def algorithms_of(path):
    sys.path.append(str(pathlib.Path(path).parent))
    specification = importlib.util.spec_from_file_location(pathlib.Path(path).stem, path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    own = [one for _, one in inspect.getmembers(module, inspect.isclass) if one.__module__ == module.__name__]
    return [one for one in own if issubclass(one, BaseAlgo)]


async def open_bucket(bus, name):
    """Whoever comes first makes it (N-2)."""
    try:
        return await bus.jetstream().key_value(name)
    except BucketNotFoundError:
        return await bus.jetstream().create_key_value(bucket=name, history=1, direct=True)


async def main():
    arguments = argparse.ArgumentParser(description="Serves the BaseAlgo subclasses of a module to stream-infer.")
    arguments.add_argument("module", help="the file with the algorithms")
    arguments.add_argument("--nats", default="nats://127.0.0.1:4222", help="where the bus is")
    arguments.add_argument("--creds", help="a credentials file of NATS; a user and password may stand in the address")
    arguments.add_argument("--prefix", default="stream-infer", help="natsPrefix of the configuration")
    arguments.add_argument("--listen", default="127.0.0.1", help="the address that schedulers reach this runner at")
    arguments.add_argument("--port", type=int, default=0, help="0 takes a free one")
    arguments.add_argument("--concurrency", type=int, default=1, help="instances of each algorithm")
    given = arguments.parse_args()

    inbox = f"{given.prefix}.inbox.algo-runner".encode()  # N-7
    bus = await nats.connect(given.nats, max_reconnect_attempts=-1, inbox_prefix=inbox, user_credentials=given.creds)
    bucket = await open_bucket(bus, f"{given.prefix}_runners")
    runner = Runner(bus, algorithms_of(given.module), given.concurrency)
    server = grpc.aio.server(options=list(GRPC_OPTIONS.items()))
    service.add_AlgoRunnerServiceServicer_to_server(runner, server)
    health = {"Check": grpc.unary_unary_rpc_method_handler(runner.check)}
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("grpc.health.v1.Health", health)])
    port = server.add_insecure_port(f"{given.listen}:{given.port}")

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    team = [(one, Instance(one.make)) for one in runner.definitions.values() for _ in range(one.concurrency)]
    await asyncio.gather(*(instance.ready for _, instance in team))
    workers = [asyncio.create_task(one.work(instance)) for one, instance in team]
    await server.start()
    beats = asyncio.create_task(runner.register(bucket, f"{given.listen}:{port}"))
    stopping = asyncio.create_task(stop.wait())
    print(f"{runner.id} serves {', '.join(runner.definitions)} at {given.listen}:{port}", flush=True)
    ended, _ = await asyncio.wait({stopping, beats, *workers}, return_when=asyncio.FIRST_COMPLETED)
    beats.cancel()
    with contextlib.suppress(nats.errors.Error):  # without the bus nobody reads the key
        await bucket.delete(runner.id)
    await runner.drain()
    await server.stop(1)
    for task in ended - {stopping}:
        task.result()  # raises what ended it


if __name__ == "__main__":
    asyncio.run(main())
    os._exit(0)  # a thread that overran its time may still run
