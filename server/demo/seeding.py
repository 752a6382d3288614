"""Makes demo shops.

A shop is filled in one transaction and stays closed, without a host. Then what follows from its rows is derived, each
time after PostgreSQL took statistics of what it reads, since it plans badly without. Last the shop gets its host and
opens. An interrupted seeding therefore leaves nothing, or a closed shop without a host. Nobody waits for news of a shop
that is closed, so none is announced.
"""

import asyncio
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

import asyncpg
from sqlalchemy import delete, select, update

from core.database import Database, TenantDatabase
from core.errors import ConfigurationError
from core.writing import Transaction
from models import outbox, shops
from models.base import Base
from models.collections import refresh_rules_of_products
from models.listings import refresh_product_listings
from server.demo.copying import insert, stage
from server.demo.frames import Frame, frame_rows
from server.demo.identities import Identities
from server.demo.products import product_rows, relation_rows
from server.demo.profiles import Profile
from server.demo.rows import TABLES, Row

Advance = Callable[[int], None]
"""Told how many steps more are done."""

STEPS = 4
"""Steps of each product: its own rows, its relations, its listings, its place in collections by rule."""

_BATCH = 1_000
"""Products copied at once: enough to make round trips cheap, some 30 MB of rows."""

_TIMEOUT_SECONDS = 3_600
"""For one statement; the default is for requests."""


async def seed_shop(database: Database, owner_url: str, frame: Frame, advance: Advance) -> None:
    """Make a demo shop.

    Args:
        database: Where; the shop must not be there yet.
        owner_url: Address of the same database for the role that owns the tables.
        frame: What to make.
        advance: Called after each batch; there are `STEPS` for each product.

    Raises:
        ConfigurationError: The role of `owner_url` does not own the tables.
    """
    tenant = database.of_tenant(frame.shop_id, statement_timeout_seconds=_TIMEOUT_SECONDS)
    await _fill(tenant, frame, advance)
    await take_statistics(owner_url)
    await _list(tenant, frame, advance)
    await take_statistics(owner_url)
    await _open(tenant, frame, advance)


async def is_complete(database: Database, slug: str) -> bool:
    """Tell whether a shop is there, and not what an interrupted seeding left behind."""
    for found in await database.fetch_platform(shops.shop_by_slug, slug=slug):
        if found.status != "CLOSED":
            return True
        async with database.of_tenant(found.id).write() as transaction:
            return bool(await transaction.execute(select(shops.Domain.host).limit(1)))
    return False


async def remove_shop(database: Database, slug: str) -> None:
    """Remove a shop with all its rows; does nothing where there is none."""
    for found in await database.fetch_platform(shops.shop_by_slug, slug=slug):
        async with database.of_tenant(found.id, statement_timeout_seconds=_TIMEOUT_SECONDS).write() as transaction:
            await transaction.execute(outbox.silence)
            await transaction.execute(delete(shops.Shop).where(shops.Shop.id == found.id))
            await transaction.commit()


async def take_statistics(owner_url: str) -> None:
    """Let PostgreSQL look at the tables at once, instead of some minutes later.

    Raises:
        ConfigurationError: The role does not own the tables; PostgreSQL itself would merely warn.
    """
    connection = await asyncpg.connect(owner_url)
    try:
        owner = await connection.fetchval(
            "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE relname = 'product'"
        )
        if not owner:
            raise ConfigurationError("Set GALLERIA_OWNER_DATABASE_URL to the role that owns the tables.")
        await connection.execute(f"ANALYZE {', '.join({*Base.metadata.tables, *TABLES.values()})}")
    finally:
        await connection.close()


def frame_of(profile: Profile, count: int) -> Frame:
    """Return the frame of a demo shop with this number of products."""
    return Frame(profile, count, Identities(profile.slug))


async def _fill(tenant: TenantDatabase, frame: Frame, advance: Advance) -> None:
    async with tenant.write() as transaction:
        await transaction.execute(outbox.silence)
        for rows in frame_rows(frame):
            await transaction.add(*rows)
        await _copy_products(transaction, frame, advance)
        await transaction.commit()


async def _list(tenant: TenantDatabase, frame: Frame, advance: Advance) -> None:
    async with tenant.write() as transaction:
        for numbers in _batches(frame.count):
            product_ids = [frame.product_id(number) for number in numbers]
            await transaction.execute(refresh_product_listings, {"products": product_ids})
            advance(len(numbers))
        await transaction.commit()


async def _open(tenant: TenantDatabase, frame: Frame, advance: Advance) -> None:
    async with tenant.write() as transaction:
        await transaction.execute(outbox.silence)
        for numbers in _batches(frame.count):
            product_ids = [frame.product_id(number) for number in numbers]
            await transaction.execute(refresh_rules_of_products, {"products": product_ids})
            advance(len(numbers))
        await transaction.add(shops.Domain(shop_id=frame.shop_id, host=frame.profile.host))
        await transaction.execute(update(shops.Shop).where(shops.Shop.id == frame.shop_id).values(status="ACTIVE"))
        await transaction.commit()


async def _copy_products(transaction: Transaction, frame: Frame, advance: Advance) -> None:
    connection = await transaction.driver()
    await stage(connection)
    batches = _batches(frame.count)
    rows = _products(frame, batches[0])
    for numbers, following in itertools.zip_longest(batches, batches[1:], fillvalue=range(0)):
        # PostgreSQL inserts a batch while the next is made.
        _, rows = await asyncio.gather(_insert(connection, rows), asyncio.to_thread(_products, frame, following))
        advance(len(numbers))
    for numbers in batches:
        await _insert(connection, _relations(frame, numbers))
        advance(len(numbers))


def _batches(count: int) -> Sequence[range]:
    return [range(start, min(start + _BATCH, count)) for start in range(0, count, _BATCH)]


def _products(frame: Frame, numbers: range) -> Mapping[type[Row], list[Row]]:
    return _by_kind(row for number in numbers for row in product_rows(frame, number))


def _relations(frame: Frame, numbers: range) -> Mapping[type[Row], list[Row]]:
    return _by_kind(row for number in numbers for row in relation_rows(frame, number))


def _by_kind(rows: Iterable[Row]) -> Mapping[type[Row], list[Row]]:
    found: defaultdict[type[Row], list[Row]] = defaultdict(list)
    for row in rows:
        found[type(row)].append(row)
    return found


async def _insert(connection: asyncpg.Connection, rows: Mapping[type[Row], list[Row]]) -> None:
    for kind in TABLES:
        if kind in rows:
            await insert(connection, kind, rows[kind])
