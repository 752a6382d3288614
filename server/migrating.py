"""Migrates the database, once there is one."""

import asyncio
import time
from collections.abc import Callable

import alembic.util
import asyncpg
import sqlalchemy.exc

from core import migrations
from core.errors import ConfigurationError
from core.settings import Settings
from server import postgresql

_PAUSE_SECONDS = 1.0
"""Between two attempts to log in."""

_IS_PREPARED = """
    SELECT rolsuper OR rolcreaterole
        OR (SELECT count(*) = cardinality($1::text[]) FROM pg_roles WHERE rolname = ANY($1))
    FROM pg_roles WHERE rolname = CURRENT_USER
"""


async def migrate(settings: Settings, revision: str = "head") -> str:
    """Migrate the database up to a revision; leave one alone that is newer than all that this release knows.

    Returns:
        What was done, as a sentence.

    Raises:
        ConfigurationError: PostgreSQL refuses, as to a role that does not own the tables; or there is no such revision.
    """
    try:
        newer = await migrations.upgrade(postgresql.owner_url(settings), revision)
    except alembic.util.CommandError as error:
        raise ConfigurationError(
            f"Cannot migrate to {revision}: {postgresql.reason(error)}. Name a revision of this release, or `head`."
        ) from None
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, sqlalchemy.exc.DBAPIError) as error:
        raise ConfigurationError(
            f"Cannot migrate {settings.owner_database_url}: {postgresql.reason(error)}. "
            "Set GALLERIA_OWNER_DATABASE_URL to a role that owns the database and may create roles."
        ) from None
    if newer is None:
        return f"Migrated to {revision}."
    newest = migrations.newest_revision()
    return f"Nothing to migrate: the database is at {newer}, newer than {newest} of this release, and serves it too."


async def wait(settings: Settings, seconds: float, report: Callable[[str], None]) -> bool:
    """Wait until the owner can log in and all roles are there that it may not make; they may be made by somebody else.

    Args:
        settings: With the addresses filled in, see `postgresql.provided`.
        seconds: How long to wait at most.
        report: Told what is waited for, whenever that changes, and in the end where it was in vain.

    Returns:
        Whether migrations can begin.
    """
    began, said = time.monotonic(), ""
    while lacking := await _lacking(postgresql.owner_url(settings), began + seconds):
        left = began + seconds - time.monotonic()
        if left <= 0:
            report(f"{settings.owner_database_url} cannot be migrated after {seconds:g} seconds: {lacking}.")
            return False
        if lacking != said:
            report(f"Waiting for {settings.owner_database_url}, {left:.0f} seconds more at most: {lacking}.")
            said = lacking
        await asyncio.sleep(min(_PAUSE_SECONDS, left))
    return True


async def _lacking(url: str, until: float) -> str:
    """Say what keeps migrations from beginning; nothing where they can."""
    try:
        # The last attempt gets some time too.
        async with asyncio.timeout(max(1.0, min(postgresql.REACH_SECONDS, until - time.monotonic()))):
            connection = await asyncpg.connect(url)
            try:
                is_prepared = await connection.fetchval(_IS_PREPARED, list(migrations.ROLES))
            finally:
                connection.terminate()
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return postgresql.reason(error)
    return "" if is_prepared else f"its role may make no others, and not all of {', '.join(migrations.ROLES)} are there"
