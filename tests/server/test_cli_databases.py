"""Commands open a database whose schema serves their release."""

import pytest

from core import migrations
from core.errors import ConfigurationError
from server.cli.databases import opened


@pytest.fixture
def needing(monkeypatch):
    """Makes this the release that a revision belongs to; the database stays at the newest."""
    return lambda revision: monkeypatch.setattr(migrations, "newest_revision", lambda: revision)


async def test_a_newer_schema_serves_an_older_release(settings, needing):
    needing("0001")
    async with opened(settings) as database:
        await database.ping()


async def test_an_older_schema_serves_no_newer_release(settings, needing):
    needing("9999")
    with pytest.raises(ConfigurationError, match=r"needs 9999: run python -m server migrate first"):
        async with opened(settings):
            pass
