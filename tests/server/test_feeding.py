"""Which bus a process has, and what `/metrics` and the log say of it and of the feeds."""

import asyncio
import dataclasses

import httpx
import pytest
from prometheus_client.exposition import generate_latest
from sqlalchemy import update
from structlog.testing import capture_logs

from core.bus import BusInProcess
from core.redis_bus import BusInRedis
from models.inventory import StockLevel
from server.app import create_app
from server.feeding import configured_bus, configured_feeds
from server.metrics import create_metrics
from tests import factories, servers
from tests.api.live.sockets import socket
from tests.core.buses import free_port
from tests.resolvers.feeding import Heard, number, relay
from tests.servers import served

STOCK = "subscription { stockChanged { ... on StockChanged { sequence } } }"


def figures(metrics):
    """What is shown of the bus and the feeds, by name."""
    lines = generate_latest(metrics.registry).decode().splitlines()
    pairs = [line.rsplit(" ", 1) for line in lines if line.startswith(("galleria_bus", "galleria_feed"))]
    return {name: float(value) for name, value in pairs if not name.endswith("_created")}


def test_without_redis_the_bus_stays_in_the_process(settings):
    assert isinstance(configured_bus(dataclasses.replace(settings, redis_url=None)), BusInProcess)
    assert isinstance(configured_bus(settings), BusInRedis)


@pytest.mark.parametrize(
    ("others", "is_healthy"), [({}, True), ({"relay": False}, False), ({"workers": 2}, False)], ids=str
)
def test_a_bus_that_others_do_not_reach_says_so(settings, others, is_healthy):
    with capture_logs() as logs:
        bus = configured_bus(dataclasses.replace(settings, redis_url=None, **others))
    assert bus.is_healthy is is_healthy
    assert [each["log_level"] for each in logs] == ([] if is_healthy else ["warning"])


async def test_events_that_another_process_relays_without_redis_are_polled(settings, database, shop):
    _, variant = await factories.sellable(database, shop)
    await number(database, shop)
    alone = dataclasses.replace(settings, redis_url=None, relay=False)
    async with served(create_app(alone)) as address, httpx.AsyncClient(base_url=address) as client:
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
        assert answer.json()["checks"]["bus"] == "set REDIS_URL, since others relay; live events are polled"
        async with socket(address, introduce=shop) as follower:
            await follower.send({"type": "subscribe", "id": "1", "payload": {"query": STOCK}})
            async with asyncio.timeout(20):
                while "galleria_feed_subscribers 1.0" not in (await client.get("/metrics")).text:
                    continue
            async with database.of_tenant(shop.id).write() as transaction:
                of_variant = update(StockLevel).where(StockLevel.variant_id == variant.id)
                await transaction.execute(of_variant.values(on_hand=3))
                await transaction.commit()
            last = await number(database, shop)
            told = await follower.receive()
        shown = (await client.get("/metrics")).text
    assert told["payload"]["data"]["stockChanged"]["sequence"] == str(last)
    assert "galleria_bus_healthy 0.0" in shown
    assert "galleria_feed_polls_total 0.0" not in shown


async def test_bus_and_feeds_are_counted(database, shop):
    metrics, bus = create_metrics(), BusInProcess()
    feeds = configured_feeds(database, bus, metrics)
    assert set(figures(metrics).values()) == {0.0, 1.0}
    await number(database, shop)
    feed, heard = await feeds.follow(shop.id), Heard()
    for subscriber in (heard, Heard()):
        feed.subscribe(subscriber)
    await heard.reaches(await relay(database, bus, shop, 3))
    seen = figures(metrics)
    assert seen.pop("galleria_feed_reads_total") >= 2
    assert seen == {
        "galleria_bus_healthy": 1.0,
        "galleria_feeds": 1.0,
        "galleria_feed_subscribers": 2.0,
        "galleria_bus_reconnections_total": 0.0,
        "galleria_bus_published_total": 1.0,
        "galleria_bus_heard_total": 1.0,
        "galleria_feed_polls_total": 0.0,
        "galleria_feed_failures_total": 0.0,
        "galleria_feed_events_total": 3.0,
    }
    feeds.leave(feed)
    assert figures(metrics)["galleria_feeds"] == 0.0


async def test_a_bus_that_is_away_is_told_once_without_its_address(settings, database):
    secret = type(settings.redis_url)(f"redis://:canary@127.0.0.1:{free_port()}/0")
    bus, metrics = configured_bus(dataclasses.replace(settings, redis_url=secret)), create_metrics()
    configured_feeds(database, bus, metrics)
    with capture_logs() as logs:
        bus._report(ConnectionError("canary is down"))
        bus._report(None)
    assert [(each["log_level"], each["event"]) for each in logs] == [
        ("warning", "the bus is away; live events are polled"),
        ("info", "the bus carries events between processes"),
    ]
    assert "canary" not in repr(logs)
    assert figures(metrics)["galleria_bus_healthy"] == 0.0


async def test_a_served_process_tells_of_its_bus(settings):
    port = free_port()
    url = type(settings.redis_url)(f"redis://127.0.0.1:{port}/0")
    application = create_app(dataclasses.replace(settings, redis_url=url))
    async with served(application) as address, httpx.AsyncClient(base_url=address) as client:
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["checks"]["bus"]) == (200, "away; live events are polled")
        assert "galleria_bus_healthy 0.0" in (await client.get("/metrics")).text
        with servers.redis_at(port):
            async with asyncio.timeout(20):
                while (await client.get("/readyz")).json()["checks"]["bus"] != "ok":
                    continue
            assert "galleria_bus_healthy 1.0" in (await client.get("/metrics")).text
