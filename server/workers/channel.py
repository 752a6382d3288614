"""What a supervisor and a worker say to each other over a pair of sockets.

The worker says first that it serves, by an empty frame, and answers each question by a frame with what it has measured.
Neither says that it ends: the other sees the channel close, however the process came to its end.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable

_QUESTION = b"?"
_LENGTH = 4
"""Bytes before a frame, which say how long it is."""


async def receive(reader: asyncio.StreamReader) -> bytes:
    """Return the next frame.

    Raises:
        EOFError: The other has gone.
    """
    length = int.from_bytes(await reader.readexactly(_LENGTH))
    return await reader.readexactly(length)


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """Ask a worker what it has measured, and return its answer; one question at a time.

    Raises:
        EOFError: The worker has gone.
    """
    writer.write(_QUESTION)
    await writer.drain()
    return await receive(reader)


async def answer(channel: socket.socket, measure: Callable[[], bytes], *, ready: Awaitable[object]) -> None:
    """Answer the supervisor until it has gone.

    Args:
        channel: To the supervisor.
        measure: Returns what was measured by now.
        ready: Returns once the worker serves.
    """
    reader, writer = await asyncio.open_connection(sock=channel)
    try:
        serving = asyncio.ensure_future(ready)
        gone = asyncio.ensure_future(reader.read(1))
        await asyncio.wait((serving, gone), return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            _send(writer, b"")
            while await gone:
                _send(writer, measure())
                await writer.drain()
                gone = asyncio.ensure_future(reader.read(1))
    except OSError:
        pass
    finally:
        serving.cancel()
        gone.cancel()
        writer.close()


def _send(writer: asyncio.StreamWriter, frame: bytes) -> None:
    writer.write(len(frame).to_bytes(_LENGTH) + frame)
