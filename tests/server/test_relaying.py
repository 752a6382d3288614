"""A server gives the events of its own writes their order at once, and shows how far it is."""

import asyncio
import dataclasses
import statistics

import httpx
import pytest
from sqlalchemy import text

from core.bus import BusInProcess
from server.app import create_app
from server.metrics import create_metrics, generate_latest
from server.parts import parts_of
from server.relaying import configured_relay
from tests.api.conftest import Api
from tests.api.mutating import done
from tests.servers import served

_TIMES = text(
    "SELECT extract(epoch FROM relayed_at - created_at)::float8 AS seconds, relayed_at IS NULL AS waits "
    "FROM outbox_event WHERE shop_id = :shop AND type = 'category.created'"
)


async def times_of(database, shop, count):
    """Return how long each of a shop's events took from the begin of its transaction to its sequence."""
    async with asyncio.timeout(10):
        while True:
            tenant = database.of_tenant(shop.id)
            rows = await tenant.fetch(_TIMES, alone=True)
            await tenant.close()
            if len(rows) == count and not any(row.waits for row in rows):
                return [row.seconds for row in rows]
            await asyncio.sleep(0.01)


async def test_what_a_server_writes_is_relayed_at_once(settings, database, shop):
    own = dataclasses.replace(settings, redis_url=None)
    async with served(create_app(own)) as address, httpx.AsyncClient(base_url=address) as client:
        api = Api(client, own, shop, replays=False)
        for number in range(10):
            await done(api, "categoryCreate", input={"name": f"Category {number}"})
            # The server is idle before each, so that nothing but this write makes it look.
            await asyncio.sleep(0.03)
        assert statistics.median(await times_of(database, shop, 10)) < 0.02
        shown = dict(
            line.rsplit(" ", 1) for line in (await client.get("/metrics")).text.splitlines() if line[:1] != "#"
        )
    assert float(shown["galleria_outbox_relayed_total"]) >= 1
    assert {"galleria_outbox_waiting", "galleria_outbox_lag_seconds"} <= shown.keys()


async def test_metrics_show_what_waits(settings):
    metrics = create_metrics()
    relay = configured_relay(settings, BusInProcess().publish, metrics)
    relay.backlog.relayed, relay.backlog.waiting, relay.backlog.oldest_seconds = 7, 3, 100.0
    text_shown = generate_latest(metrics.registry).decode()
    assert "galleria_outbox_relayed_total 7.0" in text_shown
    assert "galleria_outbox_waiting 3.0" in text_shown
    assert "galleria_outbox_lag_seconds 0.0" not in text_shown


@pytest.mark.parametrize("relay", [True, False])
def test_a_server_relays_unless_others_do(settings, relay):
    assert (parts_of(dataclasses.replace(settings, relay=relay)).relay is not None) is relay
