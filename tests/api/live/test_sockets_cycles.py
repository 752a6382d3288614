"""Sockets that come and go leave nothing behind.

`GALLERIA_TEST_CYCLES=10000` makes it long.
"""

import asyncio
import gc
import os
from pathlib import Path

from server.live.bounds import Bounds
from tests.api.live.sockets import SHOP_NAME, endpoint, socket
from tests.api.live.test_sockets_bounds import opened, said
from tests.api.live.test_sockets_callers import bearer
from tests.api.live.test_sockets_events import EVENTS

CYCLES = int(os.environ.get("GALLERIA_TEST_CYCLES", "300"))
AT_ONCE = 20
PAGE_BYTES = 4096


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES


async def test_sockets_that_come_and_go_leave_nothing(settings, shop):
    token = bearer(settings, shop)

    async def polite(url: str) -> None:
        async with socket(url) as client:
            await client.introduce(authorization=token)
            await client.subscribe("live", EVENTS)
            await client.subscribe("query", SHOP_NAME)
            while (await client.receive())["id"] != "query":
                continue

    async def rude(url: str) -> None:
        """Leave in the middle, without a word."""
        _, writer = await opened(url)
        await said(writer, {"type": "connection_init", "payload": {"authorization": token}})
        await said(writer, {"type": "subscribe", "id": "live", "payload": {"query": EVENTS}})
        writer.transport.abort()

    async def cycles(url: str, count: int) -> None:
        for _ in range(0, count, AT_ONCE):
            await asyncio.gather(*(polite(url) for _ in range(AT_ONCE // 2)), *(rude(url) for _ in range(AT_ONCE // 2)))

    async with endpoint(settings, Bounds(operations_per_client=10_000)) as server:

        async def settled() -> tuple[int, int]:
            await server.until(lambda: not server.sockets.count and not server.open_subscriptions)
            await server.sockets.slots.beat()
            gc.collect()
            return len(asyncio.all_tasks()), resident_bytes()

        await cycles(server.url, 100)
        tasks, memory = await settled()
        await cycles(server.url, CYCLES)
        _, memory_after = await settled()
        # Of what the process does beside, some comes and goes.
        await server.until(lambda: len(asyncio.all_tasks()) <= tasks)
        # What one socket leaves would be kept for each of them.
        assert memory_after - memory < 4_000_000 + CYCLES * 500
        assert server.hub.executions == 0
        assert server.sockets.slots.clients == 0
        assert server.sample("galleria_sockets_open") == server.sample("galleria_socket_operations_open") == 0
