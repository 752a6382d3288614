"""Opens connections as the application: who they are, and what they know before anybody uses them."""

import asyncpg
import orjson
from sqlalchemy.engine import make_url

from core.errors import ConfigurationError

APPLICATION_ROLE = "galleria_app"
"""The role that owns nothing and that every policy is written for."""

_JSONB_VERSION = b"\x01"
"""Stands before the text of a jsonb value in its binary form, the only one there has been."""


async def connected(url: str, *, is_prepared: bool) -> asyncpg.Connection:
    """Open a connection.

    Args:
        url: Of the database, for a role that is, or may become, the application's.
        is_prepared: Let the driver have the server keep statements from one transaction to the next.

    Raises:
        ConfigurationError: It turns out to be somebody else's connection.
    """
    settings = {"application_name": "galleria"}
    if make_url(url).username != APPLICATION_ROLE:
        settings["role"] = APPLICATION_ROLE
    cache = {} if is_prepared else {"statement_cache_size": 0}
    connection = await asyncpg.connect(url, server_settings=settings, **cache)
    try:
        # To learn of types the driver sets parameters of its session: with a pooler between us and the server, only a
        # transaction is sure to be in one session from its beginning to its end.
        async with connection.transaction():
            await _teach(connection)
    except BaseException:
        connection.terminate()
        raise
    return connection


async def _teach(connection: asyncpg.Connection) -> None:
    """Teach a connection the types that it meets inside records.

    The driver never asks what they are, and they come in binary form whatever form their codec is for.
    """
    await connection.set_type_codec(
        "jsonb",
        encoder=lambda value: _JSONB_VERSION + orjson.dumps(value),
        decoder=lambda data: orjson.loads(data[1:]),
        schema="pg_catalog",
        format="binary",
    )
    [row] = await connection.fetch("SELECT ARRAY[ROW()], current_user AS role")
    if row["role"] != APPLICATION_ROLE:
        # A pooler may be told to ignore what a client sets as it connects; and the owner would see all shops.
        raise ConfigurationError(
            f"The database takes us for {row['role']} and not for {APPLICATION_ROLE}: behind a pooler that shares "
            f"sessions, DATABASE_URL must name the user {APPLICATION_ROLE}."
        )
