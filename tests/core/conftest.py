"""Pools that belong to one test."""

import pytest

from core import pipelining
from core.database import Database


@pytest.fixture(params=["pipelined", "public"])
def way(request, monkeypatch):
    """Both ways to begin a transaction: as with a known version of the driver, and as with any other."""
    if request.param == "public":
        monkeypatch.setattr(pipelining, "KNOWN_VERSIONS", frozenset())
    return request.param


@pytest.fixture
async def own(postgres, way):  # noqa: ARG001 - asked for its effect.
    """Pools of the test's own, so that it can count their connections."""
    database = await Database.connect(postgres.app_url, pool_size=2, acquire_timeout_seconds=10)
    yield database
    await database.close()


@pytest.fixture
async def single(postgres, way):  # noqa: ARG001 - asked for its effect.
    """A database of one connection, so that every read meets what the one before it left."""
    database = await Database.connect(postgres.app_url, pool_size=1, acquire_timeout_seconds=10)
    yield database
    await database.close()


@pytest.fixture
async def impatient(postgres):
    """A database of two connections that are not waited for long."""
    database = await Database.connect(postgres.app_url, pool_size=2, acquire_timeout_seconds=1)
    yield database
    await database.close()
