"""Several clients at once: run, waited for, and compared with what has happened."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Sequence

from tests.proofs.following import Memory, SocketFollower, StreamFollower
from tests.proofs.processes import Server, until
from tests.proofs.writing import Outbox

STOCK_CHANGED = "stock.changed"

Follower = SocketFollower | StreamFollower


class Balancer:
    """Leads clients to servers that take them, one after the other."""

    def __init__(self, servers: Sequence[Server]) -> None:
        self._servers = servers
        self._turn = 0
        self._is_any = asyncio.Event()
        self.changed()

    def changed(self) -> None:
        """Take note that a server takes clients, or none."""
        if any(server.is_taking for server in self._servers):
            self._is_any.set()
        else:
            self._is_any.clear()

    async def pick(self) -> str:
        """Return where the next client is to go; wait until there is such a place."""
        await self._is_any.wait()
        taking = [server for server in self._servers if server.is_taking]
        self._turn += 1
        return taking[self._turn % len(taking)].url

    async def kill(self, server: Server) -> None:
        """Kill a server."""
        server.is_taking = False
        self.changed()
        await server.kill()

    async def start(self, server: Server) -> None:
        """Start a server that was killed."""
        await server.start()
        self.changed()


@contextlib.asynccontextmanager
async def running(followers: Sequence[Follower]) -> AsyncIterator[asyncio.TaskGroup]:
    """Let clients follow for as long as the block runs; what one of them fails by fails the block."""
    async with asyncio.TaskGroup() as tasks:
        started = [tasks.create_task(follower.run()) for follower in followers]
        yield tasks
        for task in started:
            task.cancel()


async def settled(outbox: Outbox, all_of: Sequence[Memory], stock_of: Sequence[Memory]) -> int:
    """Wait until everybody has heard of the last event, and compare: each event once, none missing, in order.

    Args:
        outbox: What has happened, and does no longer.
        all_of: What those have heard who follow everything.
        stock_of: What those have heard who follow stock.

    Returns:
        How many events there are.
    """
    await until(outbox.is_relayed)
    happened, stock = await outbox.sequences(), await outbox.sequences(STOCK_CHANGED)
    assert happened == list(range(1, len(happened) + 1))
    for expected, memories in ((happened, all_of), (stock, stock_of)):
        for memory in memories:
            await memory.has_heard(expected[-1])
            assert memory.gaps == 0
            found = difference(memory.sequences, expected)
            assert found == ([], [], True), f"missing, surplus, in order: {found}"
    return len(happened)


def difference(heard: Sequence[int], expected: Sequence[int]) -> tuple[list[int], list[int], bool]:
    """Return which events were not heard of, which more than once or wrongly, and whether all came in order."""
    missing = Counter(expected) - Counter(heard)
    surplus = Counter(heard) - Counter(expected)
    return sorted(missing.elements()), sorted(surplus.elements()), list(heard) == sorted(heard)
