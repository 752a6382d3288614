"""What commands that work with the database begin with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from core import migrations
from core.database import Database
from core.errors import ConfigurationError
from core.settings import Settings
from server import postgresql

_CONNECTIONS = 10


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Database]:
    """Open the database as the application.

    Args:
        settings: With the addresses filled in, see `postgresql.provided`.

    Raises:
        ConfigurationError: It cannot be reached, or is older than the schema of this release.
    """
    await postgresql.reach(settings)
    database = postgresql.opening(settings, pool_size=_CONNECTIONS)
    await database.open()
    try:
        await _check_revision(database)
        yield database
    finally:
        await database.close()


async def _check_revision(database: Database) -> None:
    try:
        revision = await migrations.current_revision(database)
    except asyncpg.UndefinedTableError:
        revision = None
    needed = migrations.newest_revision()
    # A newer one serves this release too, while the next is rolled out and after it was rolled back.
    if revision is None or revision < needed:
        raise ConfigurationError(
            f"The database is at revision {revision or 'none'} and this release needs {needed}: "
            "run python -m server migrate first."
        )
