"""What is revoked is revoked on open subscriptions, too: by whom a shop is served, whose token holds, whose key."""

import contextlib
import dataclasses
import json

import httpx
import pytest
from sqlalchemy import update

from models import shops
from models.inventory import StockLevel
from server import tenancy
from server.app import create_app
from server.keys import development_keys
from tests import factories
from tests.api.live.sockets import SHOP_NAME, socket
from tests.api.live.streams import EVENTS, PATIENCE_SECONDS, Following
from tests.api.live.test_sockets_callers import bearer
from tests.servers import served

STOCK = "subscription($after: BigInt) { stockChanged(after: $after) { ... on StockChanged { sequence } } }"
ALL = {"query": STOCK, "variables": {"after": "0"}}
"""What has happened already comes first: then it is sure that the subscription is open."""


@pytest.fixture
async def url(settings, monkeypatch):
    """A server that looks its shops up again soon."""
    monkeypatch.setattr(tenancy, "LIFETIME_SECONDS", 0.2)
    async with served(create_app(settings)) as address:
        yield address


@contextlib.asynccontextmanager
async def stream(url, headers):
    """Follow by a stream."""
    async with (
        httpx.AsyncClient(base_url=url, timeout=PATIENCE_SECONDS) as client,
        client.stream("POST", "/graphql", json=ALL, headers={"Accept": EVENTS} | headers) as response,
    ):
        following = Following(response)
        assert "errors" not in (await following.event()).data
        yield following


@contextlib.asynccontextmanager
async def followed(url, headers):
    """Follow over a socket."""
    async with socket(url) as client:
        await client.introduce(**headers)
        await client.subscribe("live", **ALL)
        assert (await client.receive())["type"] == "next"
        yield client


@pytest.fixture
async def variant(database, shop):
    _, made = await factories.sellable(database, shop)
    return made


async def change(database, shop, statement):
    async with database.of_tenant(shop.id).write() as transaction:
        await transaction.execute(statement)
        await transaction.commit()


async def recount(database, shop, variant):
    changed = update(StockLevel).where(StockLevel.variant_id == variant.id).values(on_hand=StockLevel.on_hand + 1)
    await change(database, shop, changed)


async def refused(url, headers):
    """Ask until the answer is a refusal, and return its code."""
    async with httpx.AsyncClient(base_url=url, timeout=PATIENCE_SECONDS) as client:
        while True:
            answer = (await client.post("/graphql", json={"query": SHOP_NAME}, headers=headers)).json()
            if "errors" in answer:
                return answer["errors"][0]["extensions"]["code"]


def test_a_shop_is_looked_up_again_after_five_seconds():
    assert tenancy.LIFETIME_SECONDS == 5


@pytest.fixture(params=["staff", "shopper"])
def headers(request, settings, shop):
    """What somebody says of himself."""
    return {"authorization": bearer(settings, shop)} if request.param == "staff" else {"galleria-shop": shop.slug}


async def test_nobody_hears_of_a_shop_that_is_suspended(url, database, shop, variant, headers):
    async with followed(url, headers) as client, stream(url, headers) as following:
        await change(database, shop, update(shops.Shop).values(status="SUSPENDED"))
        assert await refused(url, headers) == "SHOP_SUSPENDED"
        await recount(database, shop, variant)
        told = await client.receive()
        last, *others = await following.rest()
    assert (told["type"], [error["extensions"]["code"] for error in told["payload"]]) == ("error", ["SHOP_SUSPENDED"])
    assert [error["extensions"]["code"] for error in last.data["errors"]] == ["SHOP_SUSPENDED"]
    assert last.data.get("data") is None
    # The end: to come again is of no use.
    assert [event.name for event in others] == ["complete"]


async def test_a_token_that_has_ended_hears_nothing_more(url, settings, database, shop, variant):
    headers = {"authorization": bearer(settings, shop, seconds=2)}
    async with followed(url, headers) as client, stream(url, headers) as following:
        code, _ = await client.closed()
        last, *others = await following.rest()
        await recount(database, shop, variant)
    assert code == 4403
    assert ([error["extensions"]["code"] for error in last.data["errors"]], others) == (["TOKEN_EXPIRED"], [])


async def test_a_key_that_is_taken_away_holds_until_the_process_ends(settings, shop, tmp_path):
    own = dataclasses.replace(settings, data=tmp_path, token_keys=tmp_path / "token-keys.json")
    development_keys(tmp_path)
    old = {"authorization": bearer(own, shop)}
    async with served(create_app(own)) as address:
        own.token_keys.unlink()
        development_keys(tmp_path)
        new = {"authorization": bearer(own, shop)}
        async with httpx.AsyncClient(base_url=address, timeout=PATIENCE_SECONDS) as client:
            served_still = await client.post("/graphql", json={"query": SHOP_NAME}, headers=old)
        assert json.loads(served_still.text)["data"]["shop"]
        assert await refused(address, new) == "UNAUTHENTICATED"
    async with served(create_app(own)) as address:
        assert await refused(address, old) == "UNAUTHENTICATED"
        async with socket(address) as client:
            await client.introduce(**new)
            assert (await client.ask("1", SHOP_NAME))["data"]
