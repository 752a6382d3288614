"""A balancer that leads each connection to the next server in turn, and does nothing else."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Sequence
from urllib.parse import urlsplit

from tests.servers import free_port

_PIECE = 65_536


@contextlib.asynccontextmanager
async def alternating(urls: Sequence[str]) -> AsyncIterator[str]:
    """Run a balancer in front of servers, and give its address."""
    turns = itertools.cycle([(split.hostname, split.port) for split in map(urlsplit, urls)])
    under_way: set[asyncio.Task[None]] = set()

    async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = next(turns)
        there = await asyncio.open_connection(host, port)
        tasks = {asyncio.create_task(_pass_on(reader, there[1])), asyncio.create_task(_pass_on(there[0], writer))}
        under_way.update(tasks)
        await asyncio.wait(tasks)
        under_way.difference_update(tasks)

    listener = free_port()
    server = await asyncio.start_server(lead, sock=listener)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.close()
        for task in under_way:
            task.cancel()
        await server.wait_closed()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(_PIECE):
            writer.write(piece)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()
