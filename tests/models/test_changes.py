"""Every transaction that changes what clients read gives the shop another version, and none waits for another."""

import asyncio
import contextlib

import asyncpg
import pytest
from sqlalchemy import delete, func, text, update

from core.database import Database
from core.writing import Transaction
from models import changes, inventory, listings, products, shops
from models.base import Base, Tenant
from resolvers.context import Shop
from tests import factories
from tests.api.catalogues import catalogue

UNWATCHED = {
    "catalogue_change": "it is the trace itself",
    "domain": "it leads to a shop, and nobody reads it",
    "outbox_event": "it tells of changes, and no answer that is kept shows it",
    "outbox_position": "as outbox_event",
}
_RENAME = text("UPDATE product SET name = name || '!'")


async def seen(database: Database, shop: Shop):
    tenant = database.of_tenant(shop.id)
    try:
        return (await tenant.fetch(changes.catalogue_version))[0]
    finally:
        await tenant.close()


async def version(database: Database, shop: Shop) -> int:
    return (await seen(database, shop)).version


async def test_every_table_of_a_tenant_is_watched_or_says_why_not(postgres):
    owner = await asyncpg.connect(postgres.owner_url)
    rows = await owner.fetch("SELECT tgrelid::regclass::text AS name FROM pg_trigger WHERE tgname = 'note_change'")
    await owner.close()

    tables = {each.local_table.name for each in Base.registry.mappers if issubclass(each.class_, Tenant)}
    assert {row["name"] for row in rows} == tables - UNWATCHED.keys() | {"shop"}


async def test_a_change_in_any_table_is_a_new_version(database, postgres, shop):
    await catalogue(database, shop, 1)
    owner = await asyncpg.connect(postgres.owner_url)
    watched = await owner.fetch("SELECT tgrelid::regclass::text AS name FROM pg_trigger WHERE tgname = 'note_change'")
    await owner.close()
    for table in watched:
        before = await version(database, shop)
        async with database.of_tenant(shop.id).write() as transaction:
            column = "id" if table["name"] == "shop" else "shop_id"
            await transaction.execute(text(f"UPDATE {table['name']} SET {column} = {column}"))  # noqa: S608
            await transaction.commit()
        assert await version(database, shop) > before, table["name"]


async def test_a_transaction_leaves_one_trace_however_much_it_changes(database, shop):
    await factories.sellable(database, shop)
    before = await seen(database, shop)
    async with database.of_tenant(shop.id).write() as transaction:
        for _ in range(3):
            await transaction.execute(_RENAME)
        await transaction.commit()
    assert (await seen(database, shop)).changes == before.changes + 1


async def test_what_is_rolled_back_leaves_none(database, shop):
    await factories.sellable(database, shop)
    before = await seen(database, shop)
    async with database.of_tenant(shop.id).write() as transaction:
        await transaction.execute(_RENAME)
    assert await seen(database, shop) == before


async def test_a_savepoint_that_is_rolled_back_takes_its_trace_with_it_and_no_other(database, shop):
    await factories.sellable(database, shop)
    before = await seen(database, shop)
    async with database.of_tenant(shop.id).write() as transaction:
        with contextlib.suppress(ZeroDivisionError):
            async with transaction.savepoint():
                await transaction.execute(_RENAME)
                raise ZeroDivisionError
        await transaction.execute(_RENAME)
        await transaction.commit()
    assert (await seen(database, shop)).changes == before.changes + 1


async def test_other_shops_keep_their_version(database, shop):
    other = await factories.shop(database)
    before = await version(database, other)
    await factories.sellable(database, shop)
    assert await version(database, other) == before


async def test_whoever_writes_without_a_tenant_changes_every_shop(database, postgres, shop):
    other = await factories.shop(database)
    before = [await version(database, each) for each in (shop, other)]
    owner = await asyncpg.connect(postgres.owner_url)
    transaction = owner.transaction()
    await transaction.start()
    await owner.execute("UPDATE product SET name = name")
    await owner.execute("SET LOCAL ROLE galleria_app")
    after = []
    for each in (shop, other):
        await owner.execute(f"SET LOCAL app.shop_id = '{each.id}'")
        after.append(await owner.fetchval("SELECT sum(step) FROM catalogue_change"))
    # Rolled back, since it would change the shops of all other tests.
    await transaction.rollback()
    await owner.close()
    assert after[0] > before[0]
    assert after[1] > before[1]


async def test_a_writer_does_not_wait_for_another(database, shop):
    await factories.sellable(database, shop)
    before = await seen(database, shop)

    async def stock(transaction: Transaction) -> None:
        await transaction.execute(update(inventory.StockLevel).values(safety=0))

    async with database.of_tenant(shop.id).write() as first, asyncio.timeout(5):
        await first.execute(_RENAME)
        async with database.of_tenant(shop.id).write() as second:
            await stock(second)
            await second.commit()
        between = await seen(database, shop)
        await first.commit()
    assert between.version > before.version
    assert (await version(database, shop)) > between.version


async def test_a_cascade_is_noticed(database, shop):
    product, _ = await factories.sellable(database, shop)
    before = await version(database, shop)
    async with database.of_tenant(shop.id).write() as transaction:
        await transaction.execute(delete(products.Product).where(products.Product.id == product.id))
        await transaction.commit()
    assert await version(database, shop) > before


async def test_a_shop_can_be_removed(database, shop):
    await factories.sellable(database, shop)
    async with database.of_tenant(shop.id).write() as transaction:
        await transaction.execute(delete(shops.Shop).where(shops.Shop.id == shop.id))
        await transaction.commit()
    assert (await seen(database, shop)).changes == 0


async def test_merging_keeps_the_version(database, shop):
    await factories.sellable(database, shop)
    before = await seen(database, shop)
    async with database.of_tenant(shop.id).write() as transaction:
        await transaction.execute(changes.changes_merged(shop.id))
        await transaction.commit()
    after = await seen(database, shop)
    assert before.changes > 1
    assert (after.changes, after.version) == (1, before.version)


async def test_merging_leaves_alone_what_another_merges(database, shop):
    await factories.sellable(database, shop)
    before = await version(database, shop)
    async with database.of_tenant(shop.id).write() as first, asyncio.timeout(5):
        await first.execute(changes.changes_merged(shop.id))
        async with database.of_tenant(shop.id).write() as second:
            await second.execute(changes.changes_merged(shop.id))
            await second.commit()
        await first.commit()
    assert await version(database, shop) == before


@pytest.mark.parametrize(("hours", "is_next"), [(2, True), (-2, False)])
async def test_the_next_moment_when_something_is_sold_is_known(database, shop, hours, is_next):
    _, variant = await factories.sellable(database, shop)
    async with database.of_tenant(shop.id).write() as transaction:
        soon = func.now() + text(f"interval '{hours} hours'")
        await transaction.execute(
            update(listings.Listing).where(listings.Listing.variant_id == variant.id).values(available_from=soon)
        )
        await transaction.commit()
    found = await seen(database, shop)
    assert (found.next_change is not None) is is_next
    if is_next:
        assert 7_000 < found.seconds_until <= 7_200
