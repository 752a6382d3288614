"""Stands between a client and its server, counts how often the one waits for the other, and can speak up itself."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator
from urllib.parse import urlsplit


@dataclasses.dataclass(slots=True)
class Relay:
    """What a relay knows.

    Attributes:
        url: Its address.
        turns: How often a client has spoken after its server had.
        clients: Where to speak to them.
    """

    url: str = ""
    turns: int = 0
    clients: list[asyncio.StreamWriter] = dataclasses.field(default_factory=list)
    server_spoke: bool = True


@contextlib.asynccontextmanager
async def relayed(url: str) -> AsyncIterator[Relay]:
    """Put a relay before a server."""
    parts, relay = urlsplit(url), Relay()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(parts.hostname, parts.port)
        relay.clients.append(writer)

        async def ask() -> None:
            while data := await reader.read(65_536):
                relay.turns += relay.server_spoke
                relay.server_spoke = False
                there_writer.write(data)
            there_writer.close()

        async def answer() -> None:
            while data := await there_reader.read(65_536):
                relay.server_spoke = True
                writer.write(data)
            writer.close()

        with contextlib.suppress(ConnectionError):
            await asyncio.gather(ask(), answer())

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        relay.url = parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{port}").geturl()
        yield relay
