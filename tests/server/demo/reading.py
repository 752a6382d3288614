"""Reads what demo shops hold."""
# ruff: noqa: S608  (the tests put their statements together themselves)

from sqlalchemy import text

from models.base import Base
from models.shops import shop_by_slug
from tests import factories  # noqa: F401  (loads every table)

SLUGS = ("demo", "demo-jp", "demo-kw")
# The traces of changes have random figures, and one for each transaction.
TABLES = sorted({table.name for table in Base.metadata.sorted_tables} - {"catalogue_change"})


async def query(database, slug, statement, **values):
    [found] = await database.fetch_platform(shop_by_slug, slug=slug)
    async with database.of_tenant(found.id).write() as transaction:
        return await transaction.execute(text(statement), values)


async def value(database, slug, statement, **values):
    [[only]] = await query(database, slug, statement, **values)
    return only


async def fingerprint(database, slug):
    """Number and hash of the rows of each table, but for the secret and for what the database's clock says."""
    found = {}
    for table in TABLES:
        rows = f"SELECT (to_jsonb(t) - '{{cursor_key,created_at,updated_at}}'::text[])::text AS r FROM {table} t"
        [row] = await query(
            database, slug, f"SELECT count(*), md5(coalesce(string_agg(r, '' ORDER BY r), '')) FROM ({rows}) x"
        )
        found[table] = tuple(row)
    return found
