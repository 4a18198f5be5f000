"""Frames of an invocation as numpy arrays: (height, width, 3) for bgr24 and rgb24, (height, width) for gray, (height × 3/2, width) for yuv420p."""

import asyncio
import json

import nats.errors
import numpy as np

from instance import Failure
from stream_infer.v1 import frame_pb2

ANSWER_S = 5  # how long the bus may take to answer
SHAPES = {
    frame_pb2.PIXEL_FORMAT_BGR24: lambda height, width: (height, width, 3),
    frame_pb2.PIXEL_FORMAT_RGB24: lambda height, width: (height, width, 3),
    frame_pb2.PIXEL_FORMAT_GRAY: lambda height, width: (height, width),
    frame_pb2.PIXEL_FORMAT_YUV420P: lambda height, width: (height * 3 // 2, width),
}


async def fetch_window(bus, invocation):
    """Oldest first; what appears twice in the window is fetched once (G-8)."""
    distinct = {frame.n: frame for frame in invocation.window.frames}
    pictures = await asyncio.gather(*(fetch(bus, invocation.run, frame) for frame in distinct.values()))
    by_n = dict(zip(distinct, pictures))
    return [by_n[frame.n] for frame in invocation.window.frames]


async def fetch(bus, run, frame):
    data = frame.inline if frame.WhichOneof("content") == "inline" else await get(bus, run, frame)  # G-9
    if frame.encoding != frame_pb2.ENCODING_RAW:
        raise Failure("ALGORITHM_FAILED", "this runner reads raw frames only: set the stream's encoding to raw")
    try:
        return np.frombuffer(data, np.uint8).reshape(SHAPES[frame.pixel_format](frame.height, frame.width))
    except (KeyError, ValueError) as error:
        raise Failure("FRAME_MISMATCH", f"frame {frame.n} is not what its invocation says: {error}") from error


async def get(bus, run, frame):
    """A direct get of the frame's message (F-8)."""
    where = f"frame {frame.n} of run {run}, message {frame.reference.sequence} of {frame.reference.jetstream}"
    subject = f"$JS.API.DIRECT.GET.{frame.reference.jetstream}"
    try:
        reply = await bus.request(subject, json.dumps({"seq": frame.reference.sequence}).encode(), timeout=ANSWER_S)
    except nats.errors.NoRespondersError as error:
        raise Failure("FRAME_GONE", f"{where}: the buffer is no more") from error
    except nats.errors.Error as error:
        raise Failure("BUS_FAILED", f"{where}: {type(error).__name__} {error}") from error
    headers = reply.headers or {}
    if status := headers.get("Status"):
        raise Failure("FRAME_GONE" if status == "404" else "BUS_FAILED", f"{where}: {status}")
    if (headers.get("Si-Run"), headers.get("Si-N")) != (run, str(frame.n)):
        raise Failure("FRAME_MISMATCH", f"{where} holds frame {headers.get('Si-N')} of run {headers.get('Si-Run')}")
    return reply.data
