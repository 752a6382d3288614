"""What happens in a shop is announced in the transaction in which it happens, by whatever statement."""

import asyncpg
import pytest
from sqlalchemy import delete, text

from models import outbox, shops
from models.base import Base
from tests import factories
from tests.api.catalogues import catalogue
from tests.models.outboxes import events, last_place, types
from tests.transfer.files import product_file, run

SAID_BY_OTHERS = {"product_listing": "follows from the rest", "domain": "leads to a shop, and nobody waits for it"}
KEYS_AND_TIMES = {"shop_id", "id", "version", "created_at", "updated_at"}
DERIVED = {"product": {"name_key", "search_config", "search_vector"}}
KEPT = {"translation": {"entity"}}
"""Columns that are only ever inserted."""

_COLUMNS = text(
    """
    SELECT c.table_name AS name, c.column_name AS column, p.prosrc AS source
    FROM information_schema.columns c JOIN pg_proc p ON p.proname = 'announce_' || c.table_name
    WHERE c.table_schema = 'public'
    """
)
_TRIGGERS = text(
    "SELECT tgrelid::regclass::text AS name, array_agg(tgname::text ORDER BY tgname) AS triggers FROM pg_trigger "
    "WHERE tgname LIKE 'announce%' GROUP BY 1"
)


async def written(database, shop, statement, **values):
    """Run a statement and return the events that it left."""
    before = await last_place(database, shop)
    async with database.of_tenant(shop.id).write() as transaction:
        await transaction.execute(text(statement), values)
        await transaction.commit()
    return await events(database, shop, after=before)


async def test_every_table_announces_or_says_why_not(database):
    rows = await database.fetch_platform(_TRIGGERS)
    tables = set(Base.metadata.tables) - {"shop", "catalogue_change", "outbox_event", "outbox_position"}
    assert {row.name for row in rows} == tables - SAID_BY_OTHERS.keys()
    assert {tuple(row.triggers) for row in rows} == {("announce_delete", "announce_insert", "announce_update")}


async def test_every_column_is_compared(database):
    forgotten = [
        f"{row.name}.{row.column}"
        for row in await database.fetch_platform(_COLUMNS)
        if f"o.{row.column}" not in row.source
        and row.column not in KEYS_AND_TIMES | DERIVED.get(row.name, set()) | KEPT.get(row.name, set())
    ]
    assert forgotten == []


async def test_what_looks_the_same_afterwards_is_not_announced(database, shop):
    await catalogue(database, shop, 2)
    for table in sorted({row.name for row in await database.fetch_platform(_TRIGGERS)}):
        column = next(name for name in ("updated_at", "shop_id") if name in Base.metadata.tables[table].columns)
        value = "now()" if column == "updated_at" else column
        assert await written(database, shop, f"UPDATE {table} SET {column} = {value}") == [], table  # noqa: S608


async def test_a_mark_of_deletion_is_one_and_nobody_hears_of_the_row_again(database, shop):
    product = await factories.product(database, shop)
    for change, kinds in (
        ("deleted_at = now()", {"product.deleted": 1}),
        ("name = 'Unseen'", {}),
        ("deleted_at = NULL", {"product.updated": 1}),
        ("deleted_at = now()", {"product.deleted": 1}),
    ):
        assert types(await written(database, shop, f"UPDATE product SET {change}")) == kinds  # noqa: S608
    assert await written(database, shop, "DELETE FROM product WHERE id = :id", id=product.id) == []


async def test_stock_tells_what_it_was_and_is(database, shop):
    variant = await factories.variant(database, shop, await factories.product(database, shop))
    level = await factories.stock(database, shop, variant, on_hand=5)
    made = (await events(database, shop))[-1]
    changed = await written(database, shop, "UPDATE stock_level SET on_hand = 4, reserved = 1")
    gone = await written(database, shop, "DELETE FROM stock_level")

    place = {"warehouseId": str(level.warehouse_id)}
    first, second = {"onHand": 5, "available": 5}, {"onHand": 4, "available": 3}
    assert made["payload"] == place | {"before": None, "after": first}
    assert [(row["type"], row["aggregate"], row["aggregate_id"], row["payload"]) for row in [*changed, *gone]] == [
        ("stock.changed", "variant", variant.id, place | {"before": first, "after": second}),
        ("stock.changed", "variant", variant.id, place | {"before": second, "after": None}),
    ]


async def test_a_price_tells_what_it_was_and_is_and_what_an_article_costs_is_none(database, shop):
    product, variant = await factories.sellable(database, shop, price_minor=500)
    rows = await written(database, shop, "UPDATE listing SET price_minor = 400")
    costs = await written(database, shop, "UPDATE listing SET cost_minor = 100")

    price = {"compareAtMinor": None, "isPublished": True, "availableFrom": None}
    assert [(row["type"], row["aggregate_id"]) for row in rows] == [("price.changed", variant.id)]
    assert rows[0]["payload"] == {
        "channelId": str(shop.default_channel_id),
        "before": price | {"priceMinor": 500},
        "after": price | {"priceMinor": 400},
    }
    internal = {"productId": str(product.id), "internal": True}
    assert [(row["type"], row["payload"]) for row in costs] == [("variant.updated", internal)]
    assert types(await written(database, shop, "UPDATE listing SET cost_minor = 50, price_minor = 1")) == {
        "price.changed": 1
    }


@pytest.mark.parametrize("change", ["external_ref = 'erp-7'", """metadata = '{"bin": "A7"}'"""])
async def test_an_event_says_whether_it_concerns_the_shop_alone(database, shop, change):
    product, _ = await factories.sellable(database, shop)
    shown = {"product": {"wasActive": True}, "variant": {"productId": str(product.id)}}
    for table, payload in shown.items():
        [internal] = await written(database, shop, f"UPDATE {table} SET {change}")  # noqa: S608
        [seen] = await written(database, shop, f"UPDATE {table} SET name = 'New', external_ref = 'both'")  # noqa: S608
        assert (internal["payload"], seen["payload"]) == (payload | {"internal": True}, payload)


async def test_servers_change_nothing_that_was_announced(database, shop):
    await factories.product(database, shop)
    kept = types(await events(database, shop))
    for statement in (
        "UPDATE outbox_event SET type = 'product.deleted'",
        "DELETE FROM outbox_event",
        "UPDATE outbox_position SET sequence = 0",
        "DELETE FROM outbox_position",
        "INSERT INTO outbox_position (shop_id) SELECT app_shop()",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await written(database, shop, statement)
    assert types(await events(database, shop)) == kept != {}


async def test_events_of_the_last_day_are_kept_whoever_asks(database, shop):
    await factories.product(database, shop)
    await database.fetch_platform(outbox.relay, at_most=1_000)
    kept = await events(database, shop)
    [row] = await database.fetch_platform(outbox.expire, days=-1, at_most=1_000)
    assert row.gone == 0
    assert len(await events(database, shop)) == len(kept)


async def test_parts_announce_their_whole_once_and_not_when_it_goes(database, shop):
    made = await catalogue(database, shop, 2)
    moved = await written(database, shop, "UPDATE attribute_assignment SET position = position + 1")
    parts = {(row.variant_id or row.product_id) for row in made.rows["attribute_assignment"]}
    assert {row["aggregate_id"] for row in moved} == parts
    assert len(moved) == len(parts)
    gone = await written(database, shop, "DELETE FROM product_type")
    assert types(gone).keys() == {"product_type.deleted", "product.updated"}
    async with database.of_tenant(shop.id).write() as transaction:
        await transaction.execute(text("DELETE FROM attribute"))
        before = await last_place(database, shop)
        await transaction.execute(text("DELETE FROM translation WHERE entity = 'attribute'"))
        await transaction.commit()
    assert "attribute.updated" not in types(await events(database, shop, after=before))


async def test_a_rule_announces_no_members(database, shop):
    manual = await factories.collection(database, shop, await factories.product(database, shop))
    ruled = await factories.collection(database, shop, rule={"vendor": "Norr"})
    before = await last_place(database, shop)
    await factories.product(database, shop, vendor="Norr")
    rows = await events(database, shop, after=before)
    assert types(rows) == {"product.created": 1}
    rows = await written(database, shop, "UPDATE collection_product SET position = position + 1")
    assert [row["aggregate_id"] for row in rows] == [manual.id]
    assert ruled.id != manual.id


async def test_thousands_of_rows_are_compared_each_with_itself(database, shop):
    attribute = await factories.attribute(database, shop)
    made = await written(
        database,
        shop,
        "INSERT INTO attribute_value (shop_id, id, attribute_id, slug, name) SELECT app_shop(), gen_random_uuid(), "
        ":attribute, 'value-' || n, 'Value' FROM generate_series(1, CAST(:many AS int)) AS n",
        attribute=attribute.id,
        many=20_000,
    )
    assert types(made) == {"attribute_value.created": 20_000}
    before = await last_place(database, shop)
    # One connection, whose plan is made for one row.
    async with database.of_tenant(shop.id, statement_timeout_seconds=5).write() as transaction:
        await transaction.execute(text("UPDATE attribute_value SET name = 'One' WHERE slug = 'value-1'"))
        await transaction.execute(text("UPDATE attribute_value SET name = 'All'"))
        await transaction.commit()
    assert len(await events(database, shop, after=before)) == 20_001


async def test_nothing_is_announced_of_what_is_rolled_back_or_silenced(database, shop):
    await factories.product(database, shop)
    before = await last_place(database, shop)
    async with database.of_tenant(shop.id).write() as transaction:
        await transaction.execute(text("UPDATE product SET name = 'Undone'"))
    async with database.of_tenant(shop.id).write() as transaction:
        await transaction.execute(outbox.silence)
        await transaction.execute(text("UPDATE product SET name = 'Silent'"))
        await transaction.commit()
    assert await last_place(database, shop) == before
    assert types(await written(database, shop, "UPDATE product SET name = 'Heard'")) == {"product.updated": 1}


async def test_nothing_is_announced_without_a_tenant(postgres, database, shop):
    await factories.product(database, shop)
    owner = await asyncpg.connect(postgres.owner_url)
    transaction = owner.transaction()
    await transaction.start()
    await owner.execute("UPDATE product SET name = name || '!'")
    await owner.execute("SET LOCAL ROLE galleria_app")
    await owner.execute(f"SET LOCAL app.shop_id = '{shop.id}'")
    after = await owner.fetchval("SELECT max(place) FROM outbox_event")
    await transaction.rollback()
    await owner.close()
    assert after == await last_place(database, shop)


@pytest.mark.parametrize(
    ("actor", "seen"),
    [("staff:7", "staff:7"), ("", None), ("key:\0\ud800ä%b", "key:??ä%b"), ("x" * 9_000, "x" * 9_000)],
)
@pytest.mark.parametrize("begins_with_statement", [True, False])
async def test_an_event_says_who_did_it_whatever_their_name(database, shop, actor, seen, begins_with_statement):
    before = await last_place(database, shop)
    async with database.of_tenant(shop.id, actor=actor).write() as transaction:
        if not begins_with_statement:
            await transaction.driver()
        await transaction.execute(text("UPDATE channel SET name = 'Renamed'"))
        await transaction.commit()
    assert [row["actor"] for row in await events(database, shop, after=before)] == [seen]


async def test_an_import_announces_what_it_stores_and_a_rehearsal_nothing(database, shop):
    content = product_file(
        {"Handle": "cup", "Title": "Cup", "Variant SKU": "C", "Variant Price": "4", "Variant Inventory Qty": "2"}
    )
    before = await last_place(database, shop)
    await run(database, shop, content, is_rehearsal=True)
    assert await last_place(database, shop) == before
    await run(database, shop, content)
    kinds = types(await events(database, shop, after=before))
    assert {"product.created": 1, "variant.created": 1, "price.changed": 1, "stock.changed": 1}.items() <= kinds.items()


async def test_a_shop_that_is_removed_takes_its_events_with_it(database, shop):
    other = await factories.shop(database)
    await factories.sellable(database, shop)
    async with database.of_tenant(shop.id).write() as transaction:
        await transaction.execute(delete(shops.Shop).where(shops.Shop.id == shop.id))
        await transaction.commit()
    assert await events(database, shop) == []
    assert await events(database, other) != []
