"""Two servers behind a balancer are one to their clients: what one knows, the other knows by Redis."""

import asyncio
import contextlib
import dataclasses
import hashlib
import time

import httpx
import pytest

from core.ids import encode_global_id
from core.settings import load_settings
from tests import factories
from tests.api.conftest import Api
from tests.api.live.sockets import socket
from tests.api.live.stocks import stocked
from tests.api.live.streams import EVENTS, Reader
from tests.api.mutating import done
from tests.proofs.processes import servers, until
from tests.several.alternating import alternating

TIMEOUT_SECONDS = 90
CAPACITY = 60
SMALL = {"query": "{ shop { slug } }"}
"""Costs a point."""

PAGE = {"query": "{ products(first: 20) { nodes { id } } }"}
"""Is served only to somebody who has 22 points."""

OPERATIONS = 10
FOLLOW = """
subscription { stockChanged(after: 0) { ... on StockChanged { variant { id availability { quantity } } } } }
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Two:
    """Two servers, and a balancer in front of them."""

    urls: list[str]
    balancer: str

    async def ask(self, shop, body, *, url=None, **headers):
        """Ask once over a connection of its own: of one server, or of the one whose turn it is."""
        async with httpx.AsyncClient(base_url=url or self.balancer, timeout=30) as client:
            accepted = {"galleria-shop": shop.slug, "accept": "application/graphql-response+json"}
            return await client.post("/graphql", json=body, headers=accepted | headers)


@pytest.fixture(scope="module")
async def two(own_environ):
    environ = {
        **own_environ,
        "GALLERIA_BUDGETS": f"shopper={CAPACITY}/1,staff=10000000/10000000,shop=50000000/50000000",
        "GALLERIA_OPERATIONS_PER_CLIENT": str(OPERATIONS),
        # Only what one server tells the other can let it see a change earlier.
        "GALLERIA_RESPONSE_CACHE_STALENESS_MS": "60000",
    }
    async with servers(2, environ) as started:
        urls = [server.url for server in started]
        async with alternating(urls) as balancer:
            yield Two(urls, balancer)


@pytest.fixture(autouse=True)
async def patience():
    async with asyncio.timeout(TIMEOUT_SECONDS):
        yield


@pytest.fixture
async def apis(two, site):
    """A client of each server, as staff of the shop may use it."""
    settings = load_settings(site.environ)
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(httpx.AsyncClient(base_url=url, timeout=30)) for url in two.urls]
        yield [Api(client, settings, site.shop, replays=False) for client in clients]


def codes(answer):
    return [error["extensions"]["code"] for error in answer.json().get("errors", [])]


def variant_of(payload):
    return payload["data"]["stockChanged"]["variant"]


async def test_a_budget_is_shared(two, site):
    started = time.monotonic()
    answers = [await two.ask(site.shop, SMALL) for _ in range(2 * CAPACITY)]
    came_back = time.monotonic() - started
    served = sum(answer.status_code == httpx.codes.OK for answer in answers)
    alone = [codes(await two.ask(site.shop, PAGE, url=url)) for url in two.urls]

    # Each server alone would have served its half; a tenth of the budget may be held by one and not spent.
    assert 0.8 * CAPACITY <= served <= 1.1 * CAPACITY + came_back
    assert {code for answer in answers for code in codes(answer)} == {"THROTTLED"}
    assert alone == [["THROTTLED"]] * 2


@pytest.mark.parametrize("writer", [0, 1])
async def test_subscribers_hear_what_is_changed_at_the_other_server(two, site, apis, writer):
    stock = await stocked(site.database, apis[writer])
    other = two.urls[1 - writer]
    async with socket(other, introduce=site.shop) as client, httpx.AsyncClient(base_url=other, timeout=30) as browser:
        await client.subscribe("live", FOLLOW)
        headers = {"galleria-shop": site.shop.slug, "accept": EVENTS}
        async with browser.stream("POST", "/graphql", json={"query": FOLLOW}, headers=headers) as response:
            await stock.set(3)
            changed = {"id": stock.id, "availability": {"quantity": 3}}
            # What was before, and is told first, had other quantities.
            while variant_of((await client.receive())["payload"]) != changed:
                pass
            async for event in Reader(response).events():
                if variant_of(event.data) == changed:
                    break


async def test_answers_that_are_kept_by_the_other_server_are_renewed(two, site, apis):
    product, _ = await factories.sellable(site.database, site.shop, on_hand=1)
    name = {"query": "{ products(first: 1) { nodes { name } } }"}

    async def names(url):
        return (await two.ask(site.shop, name, url=url)).json()["data"]["products"]["nodes"]

    for _ in range(3):
        assert [await names(url) for url in two.urls] == [[{"name": product.name}]] * 2
    changed = {"id": encode_global_id("Product", product.id), "expectedVersion": product.version}
    await done(apis[0], "productUpdate", "product { name }", **changed, input={"name": "New"})

    async def is_renewed():
        return await names(two.urls[1]) == [{"name": "New"}]

    assert await names(two.urls[0]) == [{"name": "New"}]
    await until(is_renewed, seconds=20)


async def test_a_document_that_one_has_registered_the_other_knows(two, site):
    query = "query Named { shop { name slug } }"
    named = {"persistedQuery": {"version": 1, "sha256Hash": hashlib.sha256(query.encode()).hexdigest()}}
    by_hash = {"extensions": named}
    first, second = two.urls

    assert codes(await two.ask(site.shop, by_hash, url=second)) == ["PERSISTED_QUERY_NOT_FOUND"]
    await two.ask(site.shop, {"query": query, "extensions": named}, url=first)
    known = await two.ask(site.shop, by_hash, url=second)
    stranger = await two.ask(await factories.shop(site.database), by_hash, url=first)

    assert known.json()["data"]["shop"]["slug"] == site.shop.slug
    assert codes(stranger) == ["PERSISTED_QUERY_NOT_FOUND"]


async def test_operations_of_a_client_are_counted_at_both(two, site):
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(socket(url, introduce=site.shop)) for url in two.urls]
        refused = []
        for number in range(2 * OPERATIONS):
            client = clients[number % 2]
            await client.subscribe(f"s{number}", FOLLOW)
            # It comes behind the refusal, where there is one.
            await client.send({"type": "ping"})
            while (message := await client.receive())["type"] != "pong":
                refused.append(message)
    assert OPERATIONS <= len(refused) < 2 * OPERATIONS
    assert {message["type"] for message in refused} == {"error"}


async def test_a_shop_that_is_suspended_is_served_by_neither(two, site, apis):
    for url in two.urls:
        assert (await two.ask(site.shop, SMALL, url=url)).status_code == httpx.codes.OK
    await site.owner.execute("SELECT set_config('app.shop_id', $1, false)", str(site.shop.id))
    await site.owner.execute("UPDATE shop SET status = 'SUSPENDED' WHERE id = $1", site.shop.id)

    async def is_refused():
        answers = [await two.ask(site.shop, SMALL, url=url) for url in two.urls]
        return [codes(answer) for answer in answers] == [["SHOP_SUSPENDED"]] * 2

    await until(is_refused, seconds=30)
    for api in apis:
        assert (await api("{ shop { slug } }", role="owner")).codes == ["SHOP_SUSPENDED"]
