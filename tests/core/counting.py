"""Counts how often a client waits for its server."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator
from urllib.parse import urlsplit


@dataclasses.dataclass(slots=True)
class Turns:
    """How often a client has spoken after its server had."""

    total: int = 0
    server_spoke: bool = True


@contextlib.asynccontextmanager
async def counted(url: str) -> AsyncIterator[tuple[str, Turns]]:
    """Put a relay before a server; give its address, and what it has counted."""
    parts, turns = urlsplit(url), Turns()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(parts.hostname, parts.port)

        async def ask() -> None:
            while data := await reader.read(65_536):
                turns.total += turns.server_spoke
                turns.server_spoke = False
                there_writer.write(data)
            there_writer.close()

        async def answer() -> None:
            while data := await there_reader.read(65_536):
                turns.server_spoke = True
                writer.write(data)
            writer.close()

        with contextlib.suppress(ConnectionError):
            await asyncio.gather(ask(), answer())

    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{port}").geturl(), turns
