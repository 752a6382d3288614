"""Feeds of a process of one."""

import pytest

from core.bus import BusInProcess
from resolvers import feeds as feeds_module
from resolvers.feeds import Feeds
from tests.resolvers.feeding import number, settled


@pytest.fixture
def bus():
    return BusInProcess()


@pytest.fixture
async def feeds(database, bus, monkeypatch):
    # A look that finds what a nudge should have led to would hide that it did not.
    monkeypatch.setattr(feeds_module, "LOOK_SECONDS", 3_600)
    made = Feeds(database, bus)
    yield made
    made.close()


@pytest.fixture
async def feed(database, feeds, shop):
    """A feed that has read all there was, and what it is told when listening begins."""
    await number(database, shop)
    found = await feeds.follow(shop.id)
    await settled(found)
    return found
