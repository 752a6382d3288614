"""Texts that processes share: each tenant's own, bounded, and missing while Redis is away."""

import time
import uuid

import pytest
import redis.asyncio

from core import shared_texts
from core.redis_buckets import connect
from core.shared_texts import SharedTexts
from tests import servers
from tests.servers import free_port


@pytest.fixture
async def client(redis_url):
    opened = connect(redis_url)
    yield opened
    await opened.aclose()


async def test_a_text_is_known_to_all_and_to_its_tenant_alone(client, redis_url):
    other = connect(redis_url)
    tenant = uuid.uuid4()
    assert await SharedTexts(client, "note").put(tenant, "n", "Grüße, {tenant}")
    assert await SharedTexts(other, "note").get(tenant, "n") == "Grüße, {tenant}"
    assert await SharedTexts(other, "note").get(tenant, "m") is None
    assert await SharedTexts(other, "note").get(uuid.uuid4(), "n") is None
    assert await SharedTexts(other, "other").get(tenant, "n") is None
    await other.aclose()


async def test_of_too_many_the_one_that_was_wanted_least_lately_is_dropped(client):
    texts, tenant = SharedTexts(client, "note", at_most=3), uuid.uuid4()
    for name in ("a", "b", "c"):
        await texts.put(tenant, name, name)
    assert await texts.get(tenant, "a") == "a"
    await texts.put(tenant, "d", "d")
    assert [await texts.get(tenant, name) for name in "abcd"] == ["a", None, "c", "d"]
    keys = [key async for key in client.scan_iter(f"galleria:{{{tenant}}}:note*")]
    assert len(keys) == 3 + 1


async def test_what_nobody_wants_is_forgotten_and_what_is_wanted_is_not(client, monkeypatch):
    texts, tenant = SharedTexts(client, "note"), uuid.uuid4()
    monkeypatch.setattr(shared_texts, "LIFETIME_SECONDS", 10)
    await texts.put(tenant, "n", "text")
    key = f"galleria:{{{tenant}}}:note:n"
    assert 0 < await client.ttl(key) <= 10
    monkeypatch.setattr(shared_texts, "LIFETIME_SECONDS", 100)
    await texts.get(tenant, "n")
    assert await client.ttl(key) > 90
    assert await client.ttl(f"galleria:{{{tenant}}}:note") > 90


async def test_a_redis_that_is_away_costs_one_attempt_a_second():
    now = 100.0
    with free_port() as reserved:
        port = reserved.getsockname()[1]
    client = connect(f"redis://127.0.0.1:{port}/0")
    texts, tenant = SharedTexts(client, "note", timer=lambda: now), uuid.uuid4()
    started = time.monotonic()
    assert not await texts.put(tenant, "n", "text")
    assert await texts.get(tenant, "n") is None
    assert time.monotonic() - started < 5
    with servers.redis_at(port):
        assert not await texts.put(tenant, "n", "text"), "it is left alone"
        now += 1
        assert await texts.put(tenant, "n", "text")
        assert await texts.get(tenant, "n") == "text"
        plain = redis.asyncio.from_url(f"redis://127.0.0.1:{port}/0")
        await plain.flushall()
        await plain.aclose()
        assert await texts.get(tenant, "n") is None
    await client.aclose()
