"""Mutations at the same time, and mutations that are cut short."""

import asyncio
import re

import asyncpg
import httpx
import pytest

from core.connecting import APPLICATION_ROLE
from tests import factories
from tests.api.mutating import id_of, operation, unchanged, write

PRICES = """
query ($id: ID!) { product(id: $id) { priceRange { minimum { amount } maximum { amount } } } }
"""


# Who comes first is another one each time.
pytestmark = pytest.mark.asked_once


class Holder:
    """A session of its own that holds rows of a shop, and sees who waits for it."""

    def __init__(self, connection: asyncpg.Connection, watcher: asyncpg.Connection) -> None:
        self.connection = connection
        self.watcher = watcher

    async def hold(self, shop, statement: str, *arguments) -> None:
        await self.connection.execute("BEGIN")
        await self.connection.execute("SELECT set_config('app.shop_id', $1, true)", str(shop.id))
        await self.connection.execute(statement, *arguments)

    async def waiting(self, on: int | None = None) -> int:
        """Wait until a session waits for this one, or for another, and return its process id."""
        blocked = "SELECT pid FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))"
        async with asyncio.timeout(10):
            while True:
                rows = await self.watcher.fetch(blocked, on or self.connection.get_server_pid())
                if rows:
                    return rows[0]["pid"]

    async def idle(self, process_id: int) -> None:
        """Wait until a session has ended what it was doing."""
        busy = "SELECT FROM pg_stat_activity WHERE pid = $1 AND state IS DISTINCT FROM 'idle'"
        async with asyncio.timeout(10):
            while await self.watcher.fetch(busy, process_id):
                continue

    async def let_go(self) -> None:
        await self.connection.execute("ROLLBACK")


@pytest.fixture
async def holder(postgres):
    connection, watcher = [await asyncpg.connect(postgres.app_url) for _ in range(2)]
    if re.search(rf"//{APPLICATION_ROLE}[:@]", postgres.app_url) is None:
        await connection.execute(f"SET ROLE {APPLICATION_ROLE}")
    yield Holder(connection, watcher)
    await connection.close()
    await watcher.close()


async def test_of_two_changes_of_one_version_one_is_made(api, database, shop):
    product = await factories.product(database, shop)

    payloads = await asyncio.gather(
        *(
            write(api, "productUpdate", "product { name }", id=id_of(product), input={"name": name}, expectedVersion=1)
            for name in ("A", "B")
        )
    )

    [won] = [payload["product"]["name"] for payload in payloads if payload["product"]]
    [lost] = [payload["userErrors"] for payload in payloads if not payload["product"]]
    assert [(error["code"], error["currentVersion"]) for error in lost] == [("VERSION_CONFLICT", 2)]
    now = await api("query ($id: ID!) { product(id: $id) { name version } }", {"id": id_of(product)}, role="owner")
    assert now.data["product"] == {"name": won, "version": 2}


async def test_many_of_one_name_get_a_slug_each(api):
    payloads = await asyncio.gather(
        *(write(api, "productCreate", "product { slug }", input={"name": "Blue Shirt"}) for _ in range(20))
    )

    assert [payload["userErrors"] for payload in payloads] == [[]] * 20
    slugs = {payload["product"]["slug"] for payload in payloads}
    assert slugs == {"blue-shirt", *(f"blue-shirt-{number}" for number in range(2, 21))}


async def test_a_made_up_slug_gives_way_to_one_that_is_asked_for(api, shop, holder):
    await holder.hold(
        shop,
        "INSERT INTO product (shop_id, id, slug, name) VALUES ($1, $1, 'shirt', 'Asked for')",
        shop.id,
    )
    made_up = asyncio.create_task(write(api, "productCreate", "product { slug }", input={"name": "Shirt"}))
    await holder.waiting()
    await holder.connection.execute("COMMIT")

    assert (await made_up)["product"] == {"slug": "shirt-2"}


async def test_a_first_count_is_made_once(api, database, shop):
    _, variant = await factories.sellable(database, shop)
    warehouse = await factories.warehouse(database, shop)

    async def count(pieces: int):
        given = {"variantId": id_of(variant), "warehouseId": id_of(warehouse), "onHand": pieces}
        return await write(api, "stockSet", "variant { id }", input=given, expectedVersion=0)

    payloads = await asyncio.gather(*(count(pieces) for pieces in range(1, 6)))

    errors = [(each["code"], each["currentVersion"]) for payload in payloads for each in payload["userErrors"]]
    assert errors == [("VERSION_CONFLICT", 1)] * 4


async def test_prices_of_one_product_are_all_seen(api, database, shop, holder):
    product, _ = await factories.sellable(database, shop, price_minor=1_000)
    second = await factories.variant(database, shop, product)
    lowest = await factories.listing(database, shop, second, price_minor=2_000)
    highest = await factories.listing(database, shop, await factories.variant(database, shop, product))

    async def price(listing, amount: str):
        return await write(api, "listingUpdate", id=id_of(listing), input={"price": amount}, expectedVersion=1)

    await holder.hold(shop, "SELECT FROM product WHERE shop_id = $1 AND id = $2 FOR UPDATE", shop.id, product.id)
    changes = [asyncio.create_task(price(lowest, "1.00")), asyncio.create_task(price(highest, "99.00"))]
    await holder.waiting()
    await holder.let_go()
    await asyncio.gather(*changes)

    shown = (await api(PRICES, {"id": id_of(product)})).data["product"]["priceRange"]
    assert shown == {"minimum": {"amount": "1.00"}, "maximum": {"amount": "99.00"}}


async def test_approvals_of_one_product_are_all_counted(api, database, shop):
    product, _ = await factories.sellable(database, shop)
    reviews = [await factories.review(database, shop, product, status="PENDING", rating=rating) for rating in (1, 3, 5)]

    await asyncio.gather(*(write(api, "reviewModerate", id=id_of(each), status="APPROVED") for each in reviews))

    query = "query ($id: ID!) { product(id: $id) { ratingAverage ratingCount } }"
    shown = (await api(query, {"id": id_of(product)})).data["product"]
    assert shown == {"ratingAverage": 3.0, "ratingCount": 3}


async def test_a_child_is_not_left_behind_by_a_tree_that_moves(api, database, shop, holder):
    old, new = [await factories.category(database, shop) for _ in range(2)]
    middle = await factories.category(database, shop, parent=old)
    insert = "INSERT INTO category (shop_id, id, path, slug, name) VALUES ($1, $1, repeat('0', 33), 'child', 'Other')"
    await holder.hold(shop, insert, shop.id)

    given = {"name": "Child", "slug": "child", "parentId": id_of(middle)}
    making = asyncio.create_task(write(api, "categoryCreate", "category { id }", input=given))
    maker = await holder.waiting()
    moving = asyncio.create_task(write(api, "categoryUpdate", id=id_of(old), input={"parentId": id_of(new)}))
    await holder.waiting(maker)
    await holder.let_go()
    made = (await making)["category"]["id"]
    await moving

    query = "query ($id: ID!) { category(id: $id) { ancestors { id } } }"
    ancestors = (await api(query, {"id": made})).data["category"]["ancestors"]
    assert [each["id"] for each in ancestors] == [id_of(new), id_of(old), id_of(middle)]


async def test_one_of_two_new_default_channels_stays(api, database, shop):
    channels = [await factories.channel(database, shop) for _ in range(2)]

    payloads = await asyncio.gather(
        *(write(api, "channelUpdate", id=id_of(each), input={"isDefault": True}) for each in channels)
    )

    assert [payload["userErrors"] for payload in payloads] == [[], []]
    shown = (await api("{ channels { isDefault } }")).data["channels"]
    assert sorted(each["isDefault"] for each in shown) == [False, False, True]


async def test_bulks_in_opposite_orders_are_both_done(api, database, shop):
    ids = [id_of(await factories.product(database, shop)) for _ in range(10)]

    async def rename(order: list[str], name: str):
        changes = [{"id": each, "input": {"name": name}} for each in order]
        return await write(api, "productBulkUpdate", changes=changes)

    answers = await asyncio.gather(*(rename(ids[:: (-1) ** number], f"Name {number}") for number in range(4)))

    assert [answer["applied"] for answer in answers] == [10] * 4
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Product { name version } } }"
    rows = (await api(query, {"ids": ids}, role="owner")).data["nodes"]
    assert len({row["name"] for row in rows}) == 1
    assert [row["version"] for row in rows] == [5] * 10


async def test_who_gives_way_is_run_again(api, database, shop, holder):
    category = await factories.category(database, shop)
    given = {"name": "New", "categoryId": id_of(category)}
    shown = "product { name version category { id } }"

    async def gave_way() -> bool:
        product = await factories.product(database, shop)
        await holder.hold(shop, "SELECT FROM category WHERE shop_id = $1 AND id = $2 FOR UPDATE", shop.id, category.id)
        changing = asyncio.create_task(write(api, "productUpdate", shown, id=id_of(product), input=given))
        await holder.waiting()
        # Now each waits for the other: PostgreSQL makes one give way, as a rule the one that has waited longer.
        lock = "SELECT FROM product WHERE shop_id = $1 AND id = $2 FOR UPDATE"
        outcome = await asyncio.gather(holder.connection.execute(lock, shop.id, product.id), return_exceptions=True)
        await holder.let_go()
        assert (await changing)["product"] == {"name": "New", "version": 2, "category": {"id": id_of(category)}}
        return not isinstance(outcome[0], asyncpg.DeadlockDetectedError)

    async with asyncio.timeout(30):
        while not await gave_way():
            continue


async def test_a_mutation_whose_client_leaves_leaves_nothing(api, base_url, database, shop, holder):
    products = [await factories.product(database, shop) for _ in range(2)]
    changes = [{"id": id_of(product), "input": {"name": "New"}} for product in products]
    body = {"query": operation("productBulkUpdate", "__typename", {"changes": []}), "variables": {"changes": changes}}
    headers = {"Authorization": f"Bearer {api.token('owner')}"}

    async with unchanged(database, shop):
        await holder.hold(
            shop, "SELECT FROM product WHERE shop_id = $1 AND id = $2 FOR UPDATE", shop.id, products[1].id
        )
        async with httpx.AsyncClient(base_url=base_url) as client:
            leaving = asyncio.create_task(client.post("/graphql", json=body, headers=headers))
            waiting = await holder.waiting()
            leaving.cancel()
            with pytest.raises(asyncio.CancelledError):
                await leaving
        await holder.idle(waiting)
        await holder.let_go()


async def test_a_lost_connection_is_told_as_an_error_of_ours_and_leaves_nothing(api, database, shop, holder):
    products = [await factories.product(database, shop) for _ in range(2)]
    changes = [{"id": id_of(product), "input": {"name": "New"}} for product in products]
    query = operation("productBulkUpdate", "__typename", {"changes": []})

    async with unchanged(database, shop):
        await holder.hold(
            shop, "SELECT FROM product WHERE shop_id = $1 AND id = $2 FOR UPDATE", shop.id, products[1].id
        )
        asked = asyncio.create_task(api(query, {"changes": changes}, role="owner"))
        waiting = await holder.waiting()
        await holder.watcher.execute("SELECT pg_terminate_backend($1)", waiting)
        answer = await asked
        await holder.let_go()

    assert answer.codes == ["OVERLOADED"]
    assert answer.body["data"] is None
    assert answer.body["errors"][0]["message"] == "The server is busy; try again in a moment."
    again = await api(query, {"changes": changes}, role="owner")
    assert again.data["productBulkUpdate"]["applied"] == 2
