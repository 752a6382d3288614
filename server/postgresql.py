"""Which PostgreSQL a process works with: the one in the settings, or one of our own."""

import contextlib
import dataclasses
from collections.abc import Iterator

import asyncpg

from core import embedded
from core.database import Database
from core.embedded_cluster import APPLICATION, OWNER
from core.errors import ConfigurationError
from core.settings import EMBEDDED_FOLDER, Settings
from core.variables import Secret

REACH_SECONDS = 5.0
"""A PostgreSQL that takes longer to greet us is as good as absent."""

_PROBE = "galleria_probe"


@contextlib.contextmanager
def provided(settings: Settings, *, is_exclusive: bool = False) -> Iterator[Settings]:
    """Give settings whose database addresses are filled in, for as long as the block runs.

    Without `DATABASE_URL` that is the embedded PostgreSQL: the one that a server on the same data folder runs, or else
    one that is started now and stopped at the end of the block.

    Args:
        settings: As loaded.
        is_exclusive: Refuse a data folder that another process works with.

    Raises:
        ConfigurationError: The embedded PostgreSQL cannot run; the message says what to do.
    """
    if settings.database_url is not None:
        yield settings
        return
    folder = settings.data.resolve() / EMBEDDED_FOLDER
    server = (None if is_exclusive else embedded.find(folder)) or embedded.start(folder)
    try:
        yield dataclasses.replace(
            settings,
            database_url=Secret(server.url(APPLICATION)),
            owner_database_url=Secret(server.url(OWNER)),
        )
    finally:
        server.stop()


def application_url(settings: Settings) -> str:
    """Return the address of the database for the application, which must be known by now."""
    return _known(settings.database_url)


def opening(settings: Settings, *, pool_size: int) -> Database:
    """Return the database as the application sees it, without connecting.

    Args:
        settings: With the addresses filled in, see `provided`.
        pool_size: See `Database.of`.
    """
    return Database.of(
        application_url(settings),
        pool_size=pool_size,
        statement_seconds=settings.deadline_seconds,
        is_prepared=settings.prepared_statements,
    )


def owner_url(settings: Settings) -> str:
    """Return the address of the database for its owner, which must be known by now."""
    return _known(settings.owner_database_url)


async def reach(settings: Settings) -> None:
    """Connect once, so that what is wrong with the addresses is told in one line.

    Raises:
        ConfigurationError: One of them does not lead to a database.
    """
    addresses = {"DATABASE_URL": settings.database_url, "GALLERIA_OWNER_DATABASE_URL": settings.owner_database_url}
    for name, url in addresses.items():
        try:
            connection = await asyncpg.connect(_known(url), timeout=REACH_SECONDS)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
            raise ConfigurationError(
                f"Cannot connect to {url} ({name}): {reason(error)}. Start that PostgreSQL or correct the address; "
                "in development, leave it unset to use the embedded one."
            ) from None
        await connection.close()
    if settings.prepared_statements:
        await _check_statements(application_url(settings))


async def _check_statements(url: str) -> None:
    """Prepare a statement by the same name in two sessions: where a pooler makes one of them, that fails.

    Raises:
        ConfigurationError: A pooler shares sessions and does not keep their statements apart.
    """
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(2):
            connection = await asyncpg.connect(url, timeout=REACH_SECONDS)
            stack.push_async_callback(connection.close)
            try:
                await connection.prepare("SELECT", name=_PROBE)
            except asyncpg.DuplicatePreparedStatementError:
                raise ConfigurationError(
                    "Between us and PostgreSQL a pooler shares sessions without keeping their prepared statements "
                    "apart. Set GALLERIA_PREPARED_STATEMENTS=off, or let DATABASE_URL lead to PostgreSQL itself or to "
                    "PgBouncer 1.21 or later with max_prepared_statements above 0."
                ) from None
            # Ends the transaction, so that the pooler gives the session to the next.
            await connection.execute("SELECT")


def _known(url: Secret | None) -> str:
    if url is None:
        raise ConfigurationError("Set DATABASE_URL to the address of a PostgreSQL.")
    return url.value


def reason(error: BaseException) -> str:
    """Return what an attempt to reach a PostgreSQL failed of, as the middle of a sentence."""
    lines = str(error).splitlines()
    return lines[0].rstrip(".") if lines else f"no answer within {REACH_SECONDS:.0f} seconds"
