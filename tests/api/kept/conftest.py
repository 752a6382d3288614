"""Processes that keep answers, and a shop whose answers they keep."""

import pytest

from core import shared_cache
from tests import factories
from tests.api.caching import STALENESS_SECONDS, Process, process
from tests.api.catalogues import catalogue


@pytest.fixture(scope="module", autouse=True)
def patience():
    """Wait longer for Redis than a busy machine makes it take."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared_cache, "PATIENCE_SECONDS", 10)
        yield


@pytest.fixture(scope="module")
async def writer(settings):
    """A process that would not look at the database for a long time, and has to know what it writes itself."""
    async with process(settings, response_cache_staleness_ms=60_000) as opened:
        yield opened


@pytest.fixture(scope="module")
async def neighbour(settings):
    """Another process that shares Redis with the writer, and would not look at the database for a long time."""
    async with process(settings, response_cache_staleness_ms=60_000) as opened:
        yield opened


@pytest.fixture(scope="module")
async def loner(settings):
    """A process that shares nothing but the database."""
    staleness = int(STALENESS_SECONDS * 1000)
    async with process(settings, redis_url=None, response_cache_staleness_ms=staleness) as opened:
        yield opened


@pytest.fixture(scope="module")
def executing(client, settings):
    """A process that keeps no answers."""
    return Process(client, settings)


@pytest.fixture
async def made(database):
    return await catalogue(database, await factories.shop(database), 2)
