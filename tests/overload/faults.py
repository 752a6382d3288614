"""A TCP proxy that does what networks do: it is slow, narrow, cuts connections, or swallows what they send."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

CHUNK_BYTES = 16_384


@dataclasses.dataclass(slots=True, eq=False)
class _Link:
    """A connection of a client, and the one behind the proxy that belongs to it."""

    writers: list[asyncio.StreamWriter]
    is_swallowed: bool = False

    def reset(self) -> None:
        for writer in self.writers:
            writer.transport.abort()


class Faults:
    """The proxy of one server; what is set takes effect at once, on connections that are open too.

    Attributes:
        latency_seconds: By which every byte is late, in both directions.
        bytes_per_second: Of each connection and direction; None for as many as there are.
        port: Where the proxy listens.
        connections: How many clients are connected.
    """

    def __init__(self, host: str, port: int) -> None:
        self.latency_seconds = 0.0
        self.bytes_per_second: int | None = None
        self.port = 0
        self._target = host, port
        self._is_black_hole = False
        self._links: dict[_Link, None] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def connections(self) -> int:
        return len(self._links)

    def reset(self) -> None:
        """Cut every connection that is open, as a router does that has forgotten them."""
        for link in list(self._links):
            link.reset()

    def swallow(self) -> None:
        """Take everything and deliver nothing from now on; connections that are open never recover."""
        self._is_black_hole = True
        for link in self._links:
            link.is_swallowed = True

    def heal(self) -> None:
        """Be a good network again for new connections."""
        self._is_black_hole = False
        self.latency_seconds, self.bytes_per_second = 0.0, None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Faults"]:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.reset()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        link = _Link([writer], is_swallowed=self._is_black_hole)
        self._links[link] = None
        try:
            with contextlib.suppress(OSError):
                await self._lead(link, reader, writer)
        finally:
            del self._links[link]
            link.reset()

    async def _lead(self, link: _Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, onward = await asyncio.open_connection(*self._target)
        link.writers.append(onward)
        pumps = [asyncio.create_task(self._pump(link, *ends)) for ends in ((reader, onward), (behind, writer))]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)

    async def _pump(self, link: _Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one direction; what is late lets what comes behind it set out meanwhile."""
        loop = asyncio.get_running_loop()
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def deliver() -> None:
            while True:
                due, data = await under_way.get()
                if due > loop.time():
                    await asyncio.sleep(due - loop.time())
                if not link.is_swallowed:
                    writer.write(data)
                    await writer.drain()

        delivering = asyncio.create_task(deliver())
        try:
            while data := await reader.read(CHUNK_BYTES):
                if self.bytes_per_second is not None:
                    await asyncio.sleep(len(data) / self.bytes_per_second)
                under_way.put_nowait((loop.time() + self.latency_seconds, data))
        finally:
            delivering.cancel()
            await asyncio.gather(delivering, return_exceptions=True)


@contextlib.asynccontextmanager
async def faulty(url: str) -> AsyncIterator[tuple[Faults, str]]:
    """Lead to a server through a proxy, and give the proxy and the address of the server behind it."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    async with Faults(parts.hostname, parts.port).running() as faults:
        place = parts.netloc.rpartition("@")[0]
        netloc = f"{place}@127.0.0.1:{faults.port}" if place else f"127.0.0.1:{faults.port}"
        yield faults, parts._replace(netloc=netloc).geturl()
