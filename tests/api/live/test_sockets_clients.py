"""Foreign clients: graphql-ws of npm, and gql."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

from gql import Client as Gql
from gql import gql
from gql.transport.websockets import WebsocketsTransport

from tests.api.live.sockets import SHOP_NAME, endpoint, socket
from tests.api.live.test_sockets_callers import bearer
from tests.api.live.test_sockets_events import CREATE, EVENTS

PROGRAM = Path(__file__).parents[2] / "node" / "sockets.mjs"
PATIENCE_SECONDS = 20


@contextlib.asynccontextmanager
async def graphql_ws(node: str, **options) -> AsyncIterator["Lines"]:
    """Run the client of npm."""
    process = await asyncio.create_subprocess_exec(
        node, str(PROGRAM), json.dumps(options), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield Lines(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


class Lines:
    """What the client tells."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.all: list[dict] = []

    async def until(self, member: str) -> dict:
        """Wait for a line that has a member."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                line = await self._process.stdout.readline()
                if not line:
                    raise AssertionError((self.all, await self._process.stderr.read()))
                self.all.append(json.loads(line))
                if member in self.all[-1]:
                    return self.all[-1]

    async def category(self) -> str:
        """Wait for the event of a category, and return its sequence."""
        while True:
            event = (await self.until("next"))["next"]["data"]["events"]
            if event["type"] == "CATEGORY_CREATED":
                return event["sequence"]


def address(url: str) -> str:
    return f"{url.replace('http', 'ws')}/graphql"


async def test_graphql_ws_asks_queries(node, base_url, shop):
    params = [{"galleria-shop": shop.slug}]
    async with graphql_ws(node, urls=[address(base_url)], params=params, query=SHOP_NAME) as client:
        assert (await client.until("next"))["next"]["data"] == {"shop": {"name": shop.name}}
        await client.until("complete")
        # Without operations it closes the socket, as its authors want it.
        assert (await client.until("closed"))["closed"] == 1000


async def test_graphql_ws_hears_why_an_operation_is_refused(node, base_url, shop):
    params = [{"galleria-shop": shop.slug}]
    async with graphql_ws(node, urls=[address(base_url)], params=params, query="{ nothing }") as client:
        assert (await client.until("error"))["error"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_graphql_ws_completes(node, settings, shop):
    async with endpoint(settings) as server, socket(server.url) as writer:
        owner = {"authorization": bearer(settings, shop)}
        await writer.introduce(**owner)
        options = {"urls": [address(server.url)], "params": [owner], "query": EVENTS, "completeAfter": 1}
        async with graphql_ws(node, **options) as client:
            await server.until(lambda: server.open_subscriptions == 1)
            await writer.ask("1", CREATE, variables={"name": "Lamps"})
            await client.until("complete")
            await server.until(lambda: server.open_subscriptions == 0)


async def test_graphql_ws_comes_again_with_a_fresh_token(node, settings, shop):
    async with endpoint(settings) as server, socket(server.url) as writer:
        fresh = {"authorization": bearer(settings, shop)}
        await writer.introduce(**fresh)
        stale = [{"authorization": bearer(settings, shop, seconds=seconds)} for seconds in (-100, 2)]
        async with graphql_ws(node, urls=[address(server.url)], params=[*stale, fresh], query=EVENTS) as client:
            # On a slow machine the second token may end before it is used.
            while (await client.until("connected"))["connected"] < 3:
                continue
            closed = [line for line in client.all if "closed" in line]
            assert [line["closed"] for line in closed] == [4403, 4403]
            assert closed[-1]["reason"].startswith("Forbidden: The access token has expired")
            await server.until(lambda: server.open_subscriptions == 1)
            await writer.ask("1", CREATE, variables={"name": "Lamps"})
            assert await client.category()


async def test_graphql_ws_is_drained_comes_again_and_misses_nothing(node, settings, shop):
    async with endpoint(settings) as old, endpoint(settings) as new, socket(new.url) as writer:
        owner = {"authorization": bearer(settings, shop)}
        await writer.introduce(**owner)
        urls = [address(old.url), address(new.url)]
        async with graphql_ws(node, urls=urls, params=[owner], query=EVENTS) as client:
            await old.until(lambda: old.open_subscriptions == 1)
            await writer.ask("0", CREATE, variables={"name": "Category 0"})
            heard = [int(await client.category())]
            draining = asyncio.create_task(old.sockets.drain(0.2))
            for number in range(1, 6):
                await writer.ask(str(number), CREATE, variables={"name": f"Category {number}"})
            heard += [int(await client.category()) for _ in range(5)]
            await draining
        assert heard == [*range(heard[0], heard[0] + 6)]
        closed = next(line for line in client.all if "closed" in line)
        assert closed["closed"] == 1012
        cursor = next(line for line in client.all if "resume" in line)["resume"]
        assert closed["reason"] == f"resume={cursor[0]}"


async def test_gql_asks_and_follows(settings, shop):
    async with endpoint(settings) as server:
        transport = WebsocketsTransport(
            url=address(server.url),
            init_payload={"Authorization": bearer(settings, shop)},
            subprotocols=[WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL],
        )
        async with Gql(transport=transport) as session:
            assert await session.execute(gql(SHOP_NAME)) == {"shop": {"name": shop.name}}
            following = session.subscribe(gql(EVENTS))
            first = asyncio.ensure_future(anext(following))
            await server.until(lambda: server.open_subscriptions == 1)
            request = gql(CREATE)
            request.variable_values = {"name": "Lamps"}
            await session.execute(request)
            assert int((await first)["events"]["sequence"]) > 0
            await following.aclose()
            await server.until(lambda: server.open_subscriptions == 0)
