"""A server gives the events of its own writes their order at once, and shows how far it is."""

import asyncio
import dataclasses

import httpx
import pytest
from sqlalchemy import text

from core.bus import BusInProcess
from jobs.relay import Relay
from server import relaying
from server.app import create_app
from server.metrics import create_metrics, generate_latest
from server.parts import parts_of
from server.relaying import configured_relay
from tests.api.conftest import Api
from tests.api.mutating import done
from tests.servers import served

_RELAYED = text("SELECT relayed_at FROM outbox_event WHERE shop_id = :shop AND type = 'category.created'")


class Patient(Relay):
    """Looks when it is started and when it is woken, and not by itself."""

    looks: "asyncio.Queue[int]"

    async def relay_once(self):
        relayed = await super().relay_once()
        self.looks.put_nowait(relayed)
        return relayed

    async def _wait(self, seconds):
        return await super()._wait(3600 + seconds)


@pytest.fixture
def patient(monkeypatch):
    """The relays that are made from now on."""
    made = []

    def make(*arguments, **options):
        relay = Patient(*arguments, **options)
        relay.looks = asyncio.Queue()
        made.append(relay)
        return relay

    monkeypatch.setattr(relaying, "Relay", make)
    return made


async def relayed(database, shop):
    """Tell of each of a shop's events whether it has its sequence."""
    tenant = database.of_tenant(shop.id)
    rows = await tenant.fetch(_RELAYED, alone=True)
    await tenant.close()
    return [row.relayed_at is not None for row in rows]


async def test_what_a_server_writes_is_relayed_without_waiting_for_the_next_look(settings, database, shop, patient):
    own = dataclasses.replace(settings, redis_url=None)
    async with (
        asyncio.timeout(60),
        served(create_app(own)) as address,
        httpx.AsyncClient(base_url=address) as client,
    ):
        [relay] = patient
        await relay.looks.get()
        api = Api(client, own, shop, replays=False)
        for number in range(3):
            await done(api, "categoryCreate", input={"name": f"Category {number}"})
            # Nothing but this write makes it look.
            await relay.looks.get()
            # A relay of another server may have been there first, and not be ready.
            while await relayed(database, shop) != [True] * (number + 1):
                pass
        shown = dict(
            line.rsplit(" ", 1) for line in (await client.get("/metrics")).text.splitlines() if line[:1] != "#"
        )
    assert float(shown["galleria_outbox_relayed_total"]) == relay.backlog.relayed
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
