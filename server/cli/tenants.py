"""The shop that a command works on."""

from core.database import Database, TenantDatabase
from core.errors import ConfigurationError
from models import shops
from resolvers.context import SYSTEM

STATEMENT_SECONDS = 1_800.0
"""All that a command does in the database may take longer than a request: it may read the whole shop."""


async def tenant_of(database: Database, slug: str, *, statement_timeout_seconds: float) -> TenantDatabase:
    """Return the part of the database that a shop sees.

    Raises:
        ConfigurationError: There is no such shop.
    """
    found = await database.fetch_platform(shops.shop_by_slug, slug=slug)
    if not found:
        raise ConfigurationError(
            f"There is no shop {slug!r}: see `python -m server shops list`, or open it by "
            "`python -m server shops create`."
        )
    return database.of_tenant(found[0].id, statement_timeout_seconds=statement_timeout_seconds, actor=SYSTEM.name)
