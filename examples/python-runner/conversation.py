"""One scheduler's conversation (G-2 to G-6): what it may send, what it waits for, what is said to it."""

import asyncio
import collections
import time

import grpc
from frames import fetch_window
from instance import Failure
from stream_infer.v1 import algo_runner_pb2 as wire
from stream_infer.v1.result_pb2 import Result

ALIVE_S = 0.25  # G-10


class Refusal(Exception):
    """Ends a conversation that breaks the rules: a status of gRPC, and why."""


class Place:
    """A place in the queue of a definition. One that is given back stays, empty, for the next invocation of its stream (G-5)."""

    def __init__(self, stream):
        self.stream = stream
        self.invocation = None

    def fill(self, invocation, conversation):
        self.invocation, self.conversation, self.since = invocation, conversation, time.monotonic()
        self.window = asyncio.create_task(fetch_window(conversation.runner.bus, invocation))

    def clear(self):
        self.invocation = None
        self.window.add_done_callback(lambda task: task.cancelled() or task.exception())
        self.window.cancel()

    @property
    def is_stale(self):
        return 0 < self.invocation.budget_ms < (time.monotonic() - self.since) * 1000


class Conversation:
    def __init__(self, runner):
        self.runner = runner
        self.said = asyncio.Queue()  # messages to send; None, or a Refusal, ends the conversation
        self.credits = collections.Counter()
        self.waiting = {}  # invocation id: its place, until it starts
        self.held = 0  # invocations not answered yet
        self.ending = False  # nothing more comes: it ends with the last answer

    def say(self, **message):
        self.said.put_nowait(wire.InvokeResponse(**message))

    async def listen(self, requests):
        """Reads until the caller has nothing more to say, or breaks a rule."""
        breathing = None
        try:
            async for request in requests:
                kind = request.WhichOneof("message")
                if kind == "hello":
                    breathing = breathing or asyncio.create_task(self.greet())
                elif breathing is None:
                    raise Refusal(grpc.StatusCode.FAILED_PRECONDITION, "the first message must be Hello")  # G-2
                elif kind == "invocation":
                    self.accept(request.invocation)
                elif kind == "cancel" and (place := self.waiting.get(request.cancel.invocation_id)):
                    self.give_back(place, "it was cancelled")  # G-5
            self.end()
        except Refusal as refusal:
            self.said.put_nowait(refusal)
        finally:
            if breathing:
                breathing.cancel()

    async def greet(self):
        for name, definition in self.runner.definitions.items():
            self.grant(name, definition.concurrency + 1)
        if self.runner.draining:
            self.say(draining=wire.Draining())
        while True:
            self.say(alive=wire.Alive())
            await asyncio.sleep(ALIVE_S)

    def grant(self, name, count):
        self.credits[name] += count
        self.say(credits=wire.Credits(definition=name, count=count))

    def accept(self, invocation):
        if self.credits[invocation.definition] == 0:
            raise Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, f"no credit for {invocation.definition}")  # G-3
        self.credits[invocation.definition] -= 1
        self.held += 1
        place = self.waiting[invocation.id] = self.runner.definitions[invocation.definition].place_for(invocation.stream)
        place.fill(invocation, self)
        if self.runner.draining:
            self.give_back(place, "the runner drains")

    def give_back(self, place, why):
        invocation = place.invocation
        del self.waiting[invocation.id]
        place.clear()
        self.answer(invocation, fault=Failure("NOT_STARTED", why, not_started=True).fault)

    def answer(self, invocation, version="", **outcome):
        """The one Result of an invocation (G-4), and the credit for another."""
        self.held -= 1
        self.say(result=Result(invocation_id=invocation.id, version=version, **outcome))
        if self.ending:
            self.end()
        elif not self.runner.draining:
            self.grant(invocation.definition, 1)

    def drain(self):
        self.say(draining=wire.Draining())
        for place in list(self.waiting.values()):
            self.give_back(place, "the runner drains")  # G-6

    def end(self):
        self.ending = True
        if self.held == 0:
            self.said.put_nowait(None)

    def leave(self):
        """The conversation is over: nobody wants what waits."""
        for place in self.waiting.values():
            place.clear()
        self.waiting.clear()
