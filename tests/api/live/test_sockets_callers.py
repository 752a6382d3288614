"""Who may stay on a socket: tokens that end, that are renewed, and that are somebody else's."""

import asyncio
from datetime import timedelta

import pytest

from resolvers.context import ROLES, Actor, ActorKind, Shop
from server.authentication import Grant, issue_token
from server.keys import configured_keys
from tests import factories
from tests.api.live.sockets import SHOP_NAME, socket


def bearer(settings, shop: Shop, *, seconds: float = 300, subject: str = "tester", role: str = "owner") -> str:
    """Return what a client sends to be somebody for some seconds."""
    grant = Grant(
        issuer=settings.token_issuer,
        audience=settings.token_audience,
        shop=str(shop.id),
        actor=Actor(ActorKind.STAFF, subject, frozenset(ROLES[role])),
        lifetime=timedelta(seconds=seconds),
    )
    return f"Bearer {issue_token(configured_keys(settings), grant)}"


async def test_socket_ends_with_its_token(base_url, settings, shop):
    async with socket(base_url) as client:
        await client.introduce(authorization=bearer(settings, shop, seconds=2))
        assert (await client.ask("1", SHOP_NAME))["data"]
        code, reason = await client.closed()
        assert code == 4403
        assert reason.startswith("Forbidden: The access token has expired")


async def test_expired_token_lets_nobody_in_though_clocks_may_differ(base_url, settings, shop):
    async with socket(base_url) as client:
        await client.send({"type": "connection_init", "payload": {"authorization": bearer(settings, shop, seconds=-1)}})
        assert (await client.closed())[0] == 4403


async def test_new_token_comes_by_a_ping_and_prolongs_the_socket(base_url, settings, shop):
    async with socket(base_url) as client:
        await client.introduce(authorization=bearer(settings, shop, seconds=2))
        await client.send({"type": "ping", "payload": {"authorization": bearer(settings, shop)}})
        # The token does not come back.
        assert await client.receive() == {"type": "pong"}
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2.5):
                await client.connection.recv()
        assert (await client.ask("1", SHOP_NAME))["data"]


async def test_new_token_may_bring_other_permissions(base_url, settings, shop):
    create = 'mutation { categoryCreate(input: {name: "Lamps"}) { userErrors { code } } }'
    async with socket(base_url) as client:
        await client.introduce(authorization=bearer(settings, shop, role="support"))
        before = await client.ask("1", create)
        assert [error["extensions"]["code"] for error in before["errors"]] == ["FORBIDDEN"]
        await client.send({"type": "ping", "payload": {"headers": {"Authorization": bearer(settings, shop)}}})
        assert await client.receive() == {"type": "pong"}
        assert (await client.ask("1", create))["data"]["categoryCreate"]["userErrors"] == []


async def test_nobody_becomes_somebody_else(base_url, settings, shop, database):
    other = await factories.shop(database)
    for stolen in (
        bearer(settings, shop, subject="somebody"),
        bearer(settings, other),
        bearer(settings, shop, seconds=-1),
        "Bearer nonsense",
        "Basic abc",
    ):
        async with socket(base_url) as client:
            await client.introduce(authorization=bearer(settings, shop))
            await client.send({"type": "ping", "payload": {"authorization": stolen}})
            code, reason = await client.closed()
            assert code == 4403
            assert stolen.split()[-1] not in reason


async def test_shopper_signs_in_on_another_socket(base_url, settings, shop):
    async with socket(base_url, introduce=shop) as client:
        await client.send({"type": "ping", "payload": {"authorization": bearer(settings, shop)}})
        assert (await client.closed())[0] == 4403


async def test_token_and_header_name_the_same_shop(base_url, settings, shop, database):
    other = await factories.shop(database)
    async with socket(base_url, additional_headers={"Galleria-Shop": other.slug}) as client:
        await client.send({"type": "connection_init", "payload": {"authorization": bearer(settings, shop)}})
        assert (await client.closed())[0] == 4403
    async with socket(base_url) as client:
        await client.send(
            {
                "type": "connection_init",
                "payload": {"authorization": bearer(settings, shop), "galleria-shop": other.slug},
            }
        )
        assert (await client.closed())[0] == 4403


async def test_payload_counts_more_than_the_handshake(base_url, shop, database):
    other = await factories.shop(database)
    async with socket(base_url, additional_headers={"Galleria-Shop": other.slug}) as client:
        await client.introduce(**{"Galleria-Shop": shop.slug})
        assert (await client.ask("1", SHOP_NAME))["data"] == {"shop": {"name": shop.name}}


async def test_each_operation_sees_its_own_moment(base_url, api, database):
    """A context lives as long as its operation, so that a socket shows no old rows."""
    async with socket(base_url) as client:
        await client.introduce(authorization=f"Bearer {api.token('owner')}")
        query = "{ categories { name } }"
        assert (await client.ask("1", query))["data"]["categories"] == []
        await factories.category(database, api.shop, name="Lamps")
        assert (await client.ask("1", query))["data"]["categories"] == [{"name": "Lamps"}]
