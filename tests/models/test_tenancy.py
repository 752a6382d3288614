"""The database keeps shops apart by itself: whatever statement comes, from whatever code."""

# ruff: noqa: S608 - the names of tables and columns come from the database itself.

import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text

from core.database import Database
from tests import factories
from tests.api.catalogues import Catalogue, catalogue
from tests.servers import Postgres, embedded_postgres

ROOT = Path(__file__).parent.parent.parent
SOURCE = ("core", "engine", "jobs", "loaders", "migrations", "models", "resolvers", "schema", "server")

GLOBAL_NAMES = {"uq_domain_host", "uq_shop_slug"}
"""What must be unique over all shops: the names by which a shop is found before it is known."""

_TABLES = """
    SELECT c.relname AS name, c.relrowsecurity AND c.relforcerowsecurity AS is_secured
    FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> 'alembic_version'
    ORDER BY 1
"""
_UNIQUE = """
    SELECT i.indexrelid::regclass::text AS name, i.indrelid::regclass::text AS table, a.attname AS first
    FROM pg_index i
        JOIN pg_class c ON c.oid = i.indrelid
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
    WHERE c.relnamespace = 'public'::regnamespace AND c.relname NOT IN ('alembic_version', 'shop') AND i.indisunique
"""
_FOREIGN_KEYS = """
    SELECT k.conname AS name, k.conrelid::regclass::text AS table, k.confrelid::regclass::text AS referred,
        array(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS n (number, place)
              JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = n.number ORDER BY n.place) AS columns,
        array(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS n (number, place)
              JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = n.number ORDER BY n.place) AS targets
    FROM pg_constraint k WHERE k.contype = 'f' AND k.connamespace = 'public'::regnamespace
"""
_WRITABLE_COLUMNS = """
    SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
    WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
"""

_SHOWN_SHOP = text("SELECT app_shop()")


@pytest.fixture
async def owner(postgres: Postgres) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the role that owns the tables."""
    connection = await asyncpg.connect(postgres.owner_url)
    yield connection
    await connection.close()


@pytest.fixture(scope="module")
async def ours(database: Database) -> Catalogue:
    shop = await factories.shop(database)
    await factories.domain(database, shop, f"{shop.slug}.example")
    return await catalogue(database, shop, 2)


@pytest.fixture(scope="module")
async def theirs(database: Database) -> Catalogue:
    shop = await factories.shop(database)
    await factories.domain(database, shop, f"{shop.slug}.example")
    return await catalogue(database, shop, 2)


@contextlib.asynccontextmanager
async def as_application(connection: asyncpg.Connection, made: Catalogue | None) -> AsyncIterator[None]:
    """Be the application's role in a transaction that is rolled back, for a shop or for none."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute("SET LOCAL ROLE galleria_app")
        if made is not None:
            await connection.execute("SELECT set_config('app.shop_id', $1, true)", str(made.shop.id))
        yield
    finally:
        await transaction.rollback()


def tenant_column(table: str) -> str:
    return "id" if table == "shop" else "shop_id"


async def leaks(connection: asyncpg.Connection, ours: Catalogue) -> list[str]:
    """Return the tables that show the application more, or less, than the rows of its own shop."""
    found = []
    for table in await connection.fetch(_TABLES):
        name = table["name"]
        async with as_application(connection, None):
            without = await connection.fetchval(f"SELECT count(*) FROM {name}")
        async with as_application(connection, ours):
            column = tenant_column(name)
            shops = await connection.fetch(f"SELECT DISTINCT {column} AS shop FROM {name}")
        if without or [each["shop"] for each in shops] != [ours.shop.id] or not table["is_secured"]:
            found.append(name)
    return found


async def test_the_application_sees_the_rows_of_its_shop_and_nothing_without_one(owner, ours, theirs):
    assert theirs.shop.id != ours.shop.id
    assert await leaks(owner, ours) == []


DAMAGES = (
    "DROP POLICY tenant ON product",
    "ALTER POLICY tenant ON product USING (true)",
    "ALTER TABLE product DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE product NO FORCE ROW LEVEL SECURITY",
)


@pytest.fixture(scope="module")
async def damaged() -> AsyncIterator[tuple[asyncpg.Connection, Catalogue]]:
    """A database of its own, to be damaged, with two shops."""
    with embedded_postgres() as server:
        database = await Database.connect(server.app_url)
        catalogues = []
        for _ in range(2):
            shop = await factories.shop(database)
            await factories.domain(database, shop, f"{shop.slug}.example")
            catalogues.append(await catalogue(database, shop, 2))
        await database.close()
        connection = await asyncpg.connect(server.owner_url)
        yield connection, catalogues[0]
        await connection.close()


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_missing_policy_is_noticed(damaged, damage):
    connection, ours = damaged
    assert await leaks(connection, ours) == []

    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(damage)
        assert await leaks(connection, ours) == ["product"]
    finally:
        await transaction.rollback()


async def may(connection, table, privilege):
    """Tell whether the role of the connection may do something to a table at all."""
    return await connection.fetchval("SELECT has_table_privilege($1, $2)", table, privilege)


async def refusal(connection, table, privilege):
    """Return by what a row of another shop is refused: its policy, or that nothing may be written there at all."""
    return "row-level security" if await may(connection, table, privilege) else f"denied for table {table}"


async def test_no_row_of_another_shop_can_be_inserted(owner, ours, theirs):
    for table in await owner.fetch(_TABLES):
        name = table["name"]
        columns = await owner.fetchval(_WRITABLE_COLUMNS, name)
        async with as_application(owner, theirs):
            row = await owner.fetchval(f"SELECT to_jsonb(t) FROM {name} t LIMIT 1")
        async with as_application(owner, ours):
            statement = f"INSERT INTO {name} ({columns}) SELECT {columns} FROM jsonb_populate_record(null::{name}, $1)"
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match=await refusal(owner, name, "INSERT")):
                await owner.execute(statement, row)


async def test_no_row_can_be_given_to_another_shop(owner, ours, theirs):
    for table in await owner.fetch(_TABLES):
        async with as_application(owner, ours):
            statement = f"UPDATE {table['name']} SET {tenant_column(table['name'])} = $1"
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match=await refusal(owner, table["name"], "UPDATE")):
                await owner.execute(statement, theirs.shop.id)


async def test_rows_of_another_shop_can_be_neither_changed_nor_deleted(owner, ours, theirs):
    for table in await owner.fetch(_TABLES):
        name, column = table["name"], tenant_column(table["name"])
        for change in (f"UPDATE {name} SET {column} = {column}", f"DELETE FROM {name}"):
            statement = f"{change} WHERE {column} = $1"
            async with as_application(owner, ours):
                if await may(owner, name, change[:6]):
                    assert await owner.execute(statement, theirs.shop.id) == f"{change[:6]} 0"
                    continue
                with pytest.raises(asyncpg.InsufficientPrivilegeError, match=f"denied for table {name}"):
                    await owner.execute(statement, theirs.shop.id)


async def test_every_key_begins_with_the_shop(owner):
    unique = await owner.fetch(_UNIQUE)
    references = await owner.fetch(_FOREIGN_KEYS)

    assert {each["name"] for each in unique if each["first"] != "shop_id"} <= GLOBAL_NAMES
    assert len(unique) > 20
    for each in references:
        is_of_shop = each["referred"] == "shop"
        assert (each["columns"][0], each["targets"][0]) == ("shop_id", "id" if is_of_shop else "shop_id"), each["name"]
        assert len(each["columns"]) == (1 if is_of_shop else 2), each["name"]
    assert len(references) > 20


async def test_no_row_can_refer_to_a_row_of_another_shop(owner, ours, theirs):
    for each in await owner.fetch(_FOREIGN_KEYS):
        if each["referred"] == "shop":
            continue
        table, column, target = each["table"], each["columns"][1], each["targets"][1]
        async with as_application(owner, theirs):
            foreign = await owner.fetchval(f"SELECT {target} FROM {each['referred']} LIMIT 1")
        async with as_application(owner, ours):
            one = await owner.fetchval(f"SELECT ctid FROM {table} LIMIT 1")
            with pytest.raises(asyncpg.ForeignKeyViolationError, match=each["name"]):
                await owner.execute(f"UPDATE {table} SET {column} = $1 WHERE ctid = $2", foreign, one)


async def test_the_application_may_not_step_over_the_policies(owner):
    role = await owner.fetchrow("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = 'galleria_app'")
    owned = await owner.fetchval("SELECT count(*) FROM pg_class WHERE relowner = 'galleria_app'::regrole")

    assert tuple(role) == (False, False)
    assert owned == 0


SESSION_SETTING = re.compile(
    r"\bSET\s+(?:SESSION\s+)?app\.|set_config\([^()]*,\s*false\s*\)|\bSET\s+SESSION\b", re.IGNORECASE
)


@pytest.mark.parametrize(
    "statement", ["SET app.shop_id = 'x'", "set session app.shop_id", "SELECT set_config('app.shop_id', $1, false)"]
)
def test_settings_that_outlive_a_transaction_are_recognised(statement):
    assert SESSION_SETTING.search(statement)


def test_settings_that_outlive_a_transaction_are_not_used():
    files = [file for folder in SOURCE for file in (ROOT / folder).rglob("*.py")]
    used = [file.name for file in files if SESSION_SETTING.search(file.read_text())]

    assert used == []
    assert any("SET LOCAL app.shop_id" in file.read_text() for file in files)


async def test_a_connection_forgets_the_shop(postgres, ours):
    database = await Database.connect(postgres.app_url, pool_size=1)
    try:
        tenant = database.of_tenant(ours.shop.id)
        assert (await tenant.fetch(_SHOWN_SHOP))[0].app_shop == ours.shop.id
        await tenant.close()
        async with database.reads.connection() as connection:
            assert await connection.fetchval("SELECT current_setting('app.shop_id', true)") in {"", None}
    finally:
        await database.close()
