"""Feeds of a process of one."""

import pytest

from core.bus import BusInProcess
from resolvers.feeds import Feeds
from tests.resolvers.feeding import number, settled


@pytest.fixture
def bus():
    return BusInProcess()


@pytest.fixture
async def feeds(database, bus):
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
