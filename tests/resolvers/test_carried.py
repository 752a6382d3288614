"""Root fields bring what is carried with their own statement, and the same rows as without."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from core.clock import system_clock
from core.database import Database
from core.ids import encode_global_id
from core.pagination import Page
from loaders import Loaders
from loaders import catalogue as relations
from models import catalogue as rows
from models.collections import Collection
from models.product_filters import ProductFilter, ProductSort
from resolvers import catalogue, nodes
from resolvers.context import SYSTEM, Context, Shop
from tests import factories
from tests.loaders.trees import Carried, Child, Wanted, page


@pytest.fixture
async def context(database: Database, shop: Shop):
    tenant = database.of_tenant(shop.id)
    yield Context(shop=shop, actor=SYSTEM, database=tenant, loaders=Loaders(tenant), clock=system_clock)
    await tenant.close()


@pytest.fixture
async def product(database: Database, shop: Shop):
    """A product that has one of everything that root fields give."""
    category = await factories.category(database, shop, name="Bags")
    product, _ = await factories.sellable(database, shop, slug="bag", name="Bag", category_id=category.id)
    await factories.collection(database, shop, product, name="New")
    await factories.review(database, shop, product, rating=4)
    return product


PRODUCTS = Child(relations.products_of_collection, "id", 0, Wanted(("id", "sort_key", "name")))
CATEGORY = Child(relations.category, "category_id", 0, Wanted(("name",)))
REVIEWED = Child(relations.product, "product_id", 0, Wanted(("slug",)))
SUBTREE = Child(relations.products_of_category, "id", 0, Wanted(("id", "sort_key", "slug")))
SORTED = ("id", "sort_key")

Read = Callable[[Context, Carried | None], Awaitable[Any]]

READS: dict[str, tuple[Read, Wanted, dict[str, Any]]] = {
    "find": (
        lambda context, carried: catalogue.find(
            context, context.default_scope(), rows.product_by_slug, "bag", carried=carried
        ),
        Wanted(("id", "name"), (CATEGORY,)),
        {},
    ),
    "products": (
        lambda context, carried: catalogue.products(
            context, context.default_scope(), ProductFilter(), ProductSort.PRICE_ASC, page(5), carried=carried
        ),
        Wanted((*SORTED, "name"), (CATEGORY,)),
        {},
    ),
    "root_categories": (
        lambda context, carried: catalogue.root_categories(context, context.default_scope(), first=5, carried=carried),
        Wanted(("name",), (SUBTREE,)),
        {"paging": page(5, order="newest")},
    ),
    "page_of_entity": (
        lambda context, carried: catalogue.page_of_entity(
            context, context.default_scope(), Collection, page(5), carried=carried
        ),
        Wanted((*SORTED, "name"), (PRODUCTS,)),
        {"paging": page(5)},
    ),
    "reviews_by_status": (
        lambda context, carried: catalogue.reviews_by_status(context, "APPROVED", page(5), carried=carried),
        Wanted((*SORTED, "rating"), (REVIEWED,)),
        {},
    ),
    "channels": (
        lambda context, carried: catalogue.channels(context, carried=carried),
        Wanted(("slug", "currency")),
        {},
    ),
}


def shown(found: Any) -> list[Any]:
    """Return the rows of whatever a root field gives."""
    if isinstance(found, Page):
        return list(found.rows)
    return list(found) if isinstance(found, list) else [found]


@pytest.mark.usefixtures("product")
@pytest.mark.parametrize("name", READS)
async def test_a_root_field_brings_what_is_carried(context: Context, name: str):
    read, wanted, given = READS[name]
    carried = Carried(wanted, [given], is_whole=True)

    plain, whole = await read(context, None), await read(context, carried)

    assert carried.used
    assert context.database.statistics.statements == 2
    width = len(wanted.columns)
    assert [tuple(row)[:width] for row in shown(whole)] == [
        tuple(row[column] for column in wanted.columns) for row in shown(plain)
    ]
    assert len(shown(whole)) == 1
    if wanted.children:
        assert shown(whole)[0][width]
    if isinstance(plain, Page):
        assert whole.cursor_of(whole.rows[0]) == plain.cursor_of(plain.rows[0])
        assert await whole.count() == await plain.count() == 1


async def test_a_root_field_brings_what_is_carried_by_id(context: Context, product):
    scope, global_id = context.default_scope(), encode_global_id("Product", product.id)
    carried = Carried(Wanted(("name",), (CATEGORY,)), [{}], is_whole=True)

    found = await nodes.node(context, scope, global_id, of="Product", carried=carried)

    assert found is not None
    assert tuple(found) == ("Bag", True, "Bags")
    assert carried.used
    assert context.database.statistics.statements == 1


async def test_an_object_of_any_type_is_read_without_what_is_carried(context: Context, product):
    carried = Carried(Wanted(("name",)), [])

    found = await nodes.node(context, context.default_scope(), encode_global_id("Product", product.id), carried=carried)

    assert found is not None
    assert found.slug == "bag"
    assert not carried.used


async def test_what_is_not_there_carries_nothing(context: Context):
    scope, carried = context.default_scope(), Carried(Wanted(("name",)), [])

    assert await catalogue.find(context, scope, rows.product_by_slug, "none", carried=carried) is None
    unknown = encode_global_id("Product", context.shop.id)
    assert await nodes.node(context, scope, unknown, of="Product", carried=carried) is None


async def test_a_level_is_read_by_one_statement_and_kept(context: Context, product):
    keys = [product.category_id, None, product.category_id]

    found = await context.load_list(relations.category, keys, "root", {}, alone=True)
    again = await context.load_list(relations.category, keys, "root", {})
    single = await context.load(relations.category, product.category_id, "root", {})
    none = await context.load_list(relations.variants_of_product, [None], "root", {"first": 3})

    assert [row and row.name for row in found] == ["Bags", None, "Bags"]
    assert again == found
    assert single is found[0]
    assert none == [[]]
    assert context.database.statistics.statements == 1


async def test_what_was_read_before_a_write_is_read_again(context: Context, product):
    before = await context.load_list(relations.product, [product.id], "root", {})
    async with context.database.write():
        pass
    after = await context.load_list(relations.product, [product.id], "root", {})

    assert after == before
    assert after[0] is not before[0]
