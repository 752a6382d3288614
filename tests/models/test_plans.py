"""Plans of the statements behind listings, as the application's role under row-level security, over a large shop."""

import asyncpg
import orjson
import pytest
from sqlalchemy import text

from core.connecting import APPLICATION_ROLE
from core.database import Database
from core.ids import encode_global_id
from core.pagination import COUNT_CEILING
from core.statements import compile_statement
from loaders import catalogue as relations
from loaders.carrying import carry
from models.base import ANY_KEY, per_key
from models.catalogue import product_by_slug, products_by_id
from models.keysets import PageForm
from models.listings import refresh_product_listings
from models.product_filters import FilterForm, ProductFilter, ProductSort
from models.product_pages import product_count, product_page, products_of_categories
from models.scopes import Shape
from tests import factories
from tests.loaders.trees import Carried, Child, Wanted, page

PRODUCTS = COUNT_CEILING + 99

_PRODUCTS = text(
    """
    INSERT INTO product (shop_id, id, slug, name, status, category_id, vendor, created_at)
    SELECT app_shop(), gen_random_uuid(), 'p-' || n, 'Shirt ' || n, 'ACTIVE',
        CASE WHEN n % 20 = 0 THEN CAST(:category AS uuid) END, 'Acme', now() - n * interval '1 second'
    FROM generate_series(1, :count) n
    """
)
_VARIANTS = text(
    """
    INSERT INTO variant (shop_id, id, product_id, sku)
    SELECT shop_id, gen_random_uuid(), id, 'SKU-' || slug FROM product
    """
)
_LISTINGS = text(
    """
    INSERT INTO listing (shop_id, id, channel_id, variant_id, price_minor)
    SELECT shop_id, gen_random_uuid(), :channel, id, 1000 + abs(hashtext(sku)) % 9000 FROM variant
    """
)
_ALL = text("SELECT array_agg(id) AS ids FROM product")


@pytest.fixture(scope="module")
async def large(database: Database, postgres):
    """A shop with more products than are counted, and its category of every twentieth."""
    shop = await factories.shop(database)
    category = await factories.category(database, shop)
    async with database.of_tenant(shop.id, statement_timeout_seconds=120).write() as transaction:
        await transaction.execute(_PRODUCTS, {"category": category.id, "count": PRODUCTS})
        await transaction.execute(_VARIANTS)
        await transaction.execute(_LISTINGS, {"channel": shop.default_channel_id})
        ids = (await transaction.execute(_ALL)).scalar_one()
        await transaction.execute(refresh_product_listings, {"products": ids})
        await transaction.commit()
    owner = await asyncpg.connect(postgres.owner_url)
    # Vacuum also merges what an index of words has put aside, which the planner counts as dear.
    await owner.execute("VACUUM (ANALYZE) product, product_listing, variant, listing, category")
    await owner.close()
    return shop, category


@pytest.fixture
async def tenant(database: Database, large):
    opened = database.of_tenant(large[0].id)
    yield opened
    await opened.close()


def values(large, wanted: ProductFilter, **more):
    return {
        **wanted.values(),
        "channel": large[0].default_channel_id,
        "locale": None,
        "search_config": "english",
        "limit": 25,
        **more,
    }


@pytest.fixture(scope="module")
async def connection(postgres, large):
    """A connection of the application's role that sees the large shop."""
    opened = await asyncpg.connect(postgres.app_url, server_settings={"role": APPLICATION_ROLE, "jit": "off"})
    await opened.execute(f"BEGIN; SET LOCAL app.shop_id = '{large[0].id}'")
    yield opened
    await opened.close()


async def scans(connection: asyncpg.Connection, large, statement, given) -> dict[str, set[str]]:
    """Return how each table is read for these values: `{"product": {"Index Scan"}}`."""
    compiled = compile_statement(statement)
    arguments = compiled.arguments({**given, "shop": large[0].id})
    return _scans(await connection.fetchval(f"EXPLAIN (FORMAT JSON) {compiled.text}", *arguments))


async def scans_of_any(connection: asyncpg.Connection, statement) -> dict[str, set[str]]:
    """Return how each table is read by the plan that is kept for all values."""
    compiled = compile_statement(statement)
    await connection.execute(f"SET LOCAL plan_cache_mode = force_generic_plan; PREPARE kept AS {compiled.text}")
    nulls = ", ".join("NULL" for _ in compiled.names)
    plan = await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE kept ({nulls})")
    await connection.execute("DEALLOCATE kept; SET LOCAL plan_cache_mode = auto")
    return _scans(plan)


def _scans(plan: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    waiting = [orjson.loads(plan)[0]["Plan"]]
    while waiting:
        node = waiting.pop()
        waiting += node.get("Plans", [])
        if "Relation Name" in node:
            found.setdefault(node["Relation Name"], set()).add(node["Node Type"])
        if node["Node Type"] == "Sort" and node["Plan Rows"] > 1_000:
            found.setdefault("sorted", set()).add(str(node["Sort Key"]))
    return found


PAGES = [
    (ProductSort.NEWEST, ProductFilter()),
    (ProductSort.OLDEST, ProductFilter()),
    (ProductSort.PRICE_ASC, ProductFilter()),
    (ProductSort.PRICE_DESC, ProductFilter()),
    (ProductSort.NAME_ASC, ProductFilter()),
    (ProductSort.RATING, ProductFilter()),
    (ProductSort.NEWEST, ProductFilter(text="shirt")),
    (ProductSort.RELEVANCE, ProductFilter(text="shirt")),
]


SHAPES = {"shop": Shape(), "de": Shape(translated=True), "staff": Shape(drafts=True)}


@pytest.mark.parametrize("view", SHAPES)
@pytest.mark.parametrize(("sort", "wanted"), PAGES, ids=[f"{sort.name}-{wanted.text}" for sort, wanted in PAGES])
async def test_a_page_is_read_from_an_index(connection, large, sort, wanted, view):
    cursor = {"cursor_key": "2026-01-01" if sort in {ProductSort.NEWEST, ProductSort.OLDEST} else "5"}
    given = values(large, wanted, **cursor, cursor_id=large[0].id)

    for continued in (False, True):
        statement = product_page(SHAPES[view], wanted.form, sort, forward=True, continued=continued)
        found = await scans(connection, large, statement, given)
        assert "Seq Scan" not in found["product"]
        # What a search found, up to 10,001 products, may be looked up one by one or in one pass.
        assert wanted.text or found.keys() & {"sorted"} == set()
        assert wanted.text or "Seq Scan" not in found["product_listing"]


@pytest.mark.parametrize(
    ("condition", "index"),
    [
        ("search_vector @@ websearch_to_tsquery('simple', $2)", "ix_product_search_vector"),
        ("$2 <% name", "ix_product_name"),
    ],
)
async def test_the_search_reads_its_indexes_with_the_rights_it_runs_with(large, postgres, condition, index):
    owner = await asyncpg.connect(postgres.owner_url)
    async with owner.transaction():
        await owner.execute("SET LOCAL ROLE galleria_definer")
        asked = f"EXPLAIN SELECT id FROM product WHERE shop_id = $1 AND {condition}"  # noqa: S608
        lines = await owner.fetch(asked, large[0].id, "4711")
    await owner.close()

    plan = "\n".join(line[0] for line in lines)
    assert f"Bitmap Index Scan on {index}" in plan
    assert "Seq Scan" not in plan


@pytest.mark.parametrize("sort", [ProductSort.NEWEST, ProductSort.PRICE_ASC])
async def test_a_page_of_a_category_is_read_from_an_index(connection, large, sort):
    wanted = ProductFilter(category_id=large[1].id)

    page = await scans(
        connection,
        large,
        product_page(Shape(), wanted.form, sort, forward=True, continued=False),
        values(large, wanted),
    )
    nested = per_key(lambda key: products_of_categories(Shape(), PageForm(sort.value), key))
    below = await scans(connection, large, nested, values(large, wanted, keys=[large[1].id]))

    for found in (page, below):
        assert "Seq Scan" not in found["product"] | found["product_listing"], found


async def test_products_by_id_and_name_are_read_from_an_index(connection, large):
    for statement in (products_by_id(Shape(), ANY_KEY), product_by_slug(Shape())):
        found = await scans(
            connection, large, statement, values(large, ProductFilter(), keys=[large[0].id], value="p-1")
        )
        assert "Seq Scan" not in found["product"] | found["product_listing"], found


_SOLD = tuple(
    Child(relation, "id", slot, Wanted(columns))
    for slot, (relation, columns) in enumerate(
        [
            (relations.price_of_variant, ("minor", "currency")),
            (relations.availability_of_variant, ("is_available", "quantity")),
        ]
    )
)
_SHOWN = (
    Child(relations.category, "category_id", 2, Wanted(("name",))),
    Child(relations.variants_of_product, "id", 3, Wanted(("sku",), _SOLD)),
    Child(relations.media_of_product, "id", 4, Wanted(("url",))),
)
_ALL_SHOWN = (
    *_SHOWN,
    Child(relations.related_products, "id", 5, Wanted(("name",), _SHOWN[:2])),
    Child(relations.reviews_of_product, "id", 6, Wanted(("id", "sort_key", "rating"))),
)
_GIVEN = ({}, {}, {}, {"first": 3}, {"first": 1}, {"first": 8, "kind": "RELATED"}, {"paging": page(10)})


@pytest.mark.parametrize("view", SHAPES)
async def test_what_rows_carry_is_read_from_an_index(connection, large, view):
    shape, wanted = SHAPES[view], ProductFilter(category_id=large[1].id)
    listing = product_page(shape, wanted.form, ProductSort.NEWEST, forward=True, continued=False)

    for root, children in ((listing, _SHOWN), (product_by_slug(shape), _ALL_SHOWN)):
        carried = Carried(Wanted(("id",), children), _GIVEN[: len(children) + 2])
        statement, more = carry(root, carried, shape)
        given = values(large, wanted, value="p-1", **more)
        for found in (await scans(connection, large, statement, given), await scans_of_any(connection, statement)):
            read = [found[table] for table in ("product", "variant", "listing")]
            assert "Seq Scan" not in set().union(*read, found.get("product_listing", set())), found


@pytest.mark.parametrize("sort", [ProductSort.NEWEST, ProductSort.PRICE_ASC])
async def test_the_plan_of_a_page_is_kept(connection, large, sort):
    wanted = ProductFilter()
    listing = product_page(Shape(), wanted.form, sort, forward=True, continued=False)
    compiled, more = carry(listing, Carried(Wanted(("id",), _SHOWN), _GIVEN[: len(_SHOWN) + 2]), Shape())
    arguments = compiled.arguments({**values(large, wanted, **more), "shop": large[0].id})

    prepared = await connection.prepare(compiled.text)
    for _ in range(7):
        await prepared.fetch(*arguments)

    # PostgreSQL weighs the plan for all values against those that it made for each of the first five times.
    asked = "SELECT generic_plans FROM pg_prepared_statements WHERE statement = $1"
    assert await connection.fetchval(asked, compiled.text) == 2


async def test_counting_stops_at_the_ceiling(tenant, large):
    wanted = ProductFilter()

    counted = await tenant.fetch(product_count(Shape(), FilterForm()), **values(large, wanted))

    assert counted[0].total == COUNT_CEILING == 10_001


@pytest.mark.parametrize("view", SHAPES)
async def test_a_filter_beside_a_text_loses_nothing_below_the_ceiling(tenant, large, view):
    wanted = ProductFilter(text="shirt", category_id=large[1].id)
    everything = ProductFilter(text="shirt")

    narrow = await tenant.fetch(product_count(SHAPES[view], wanted.form), **values(large, wanted))
    wide = await tenant.fetch(product_count(SHAPES[view], everything.form), **values(large, everything))

    assert wide[0].total == COUNT_CEILING
    # All the products have the word; of those beyond the ceiling, each may be one of the category.
    assert PRODUCTS // 20 - (PRODUCTS - COUNT_CEILING) <= narrow[0].total <= PRODUCTS // 20


async def test_the_api_says_the_ceiling(large, client):
    shop, category = large
    ids = {"all": "", "category": f'(filter: {{category: "{encode_global_id("Category", category.id)}"}})'}
    totals = {}
    for name, arguments in ids.items():
        body = {"query": f"{{ products{arguments} {{ totalCount }} }}"}
        answer = await client.post("/graphql", json=body, headers={"Galleria-Shop": shop.slug})
        totals[name] = answer.json()["data"]["products"]["totalCount"]

    assert totals == {"all": 10_001, "category": PRODUCTS // 20}
