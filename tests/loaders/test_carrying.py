"""What a statement carries is what the loaders read, column by column, for shoppers and for staff."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select, update

from core.database import Database, TenantDatabase
from loaders import Loaders, carrying, catalogue
from loaders.batching import Kind, Relation
from models import attributes, categories, collections, inventory, products, shops
from models.base import Base
from models.scopes import Scope
from tests import factories
from tests.api.catalogues import Catalogue
from tests.api.catalogues import catalogue as filled
from tests.loaders import trees
from tests.loaders.trees import EDGES, Carried, Child, Edge, Wanted

VIEWS = {"shopper": {}, "german": {"locale": "de-AT"}, "staff": {"drafts": True}}
LATE = datetime(2040, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)


_TEXTS: dict[type[Any], tuple[str, ...]] = {
    products.Product: ("seo_title", "seo_description"),
    products.Variant: ("barcode",),
    categories.Category: ("seo_title", "seo_description"),
    collections.Collection: ("seo_title", "seo_description"),
    attributes.Attribute: ("unit",),
    attributes.AttributeValue: ("color",),
    inventory.Warehouse: ("country",),
    shops.Channel: ("default_country",),
}
"""Columns that the catalogue leaves empty."""


@pytest.fixture(scope="module")
async def made(database: Database) -> Catalogue:
    """A catalogue in which something is missing, hidden or set to an uncommon value in each place."""
    shop = await factories.shop(database)
    made = await filled(database, shop, 3)
    async with database.of_tenant(shop.id).write() as transaction:
        for table, names in _TEXTS.items():
            await transaction.execute(update(table).values(dict.fromkeys(names, "Ü")))
        await transaction.execute(update(products.Variant).values(weight_g=250))
        await transaction.commit()
    await _hide(database, made)
    await _vary(database, made)
    return made


async def _hide(database: Database, made: Catalogue) -> None:
    """Add what is missing, or seen by staff alone."""
    shop, product = made.shop, made.first("product")
    bare = await factories.product(database, shop)
    await factories.variant(database, shop, bare, sku=None, track_inventory=False)
    for unsold in ({"is_published": False}, {"available_from": LATE}):
        variant = await factories.variant(database, shop, bare, track_inventory=False)
        await factories.listing(database, shop, variant, compare_at_minor=9_900, **unsold)
    draft, _ = await factories.sellable(database, shop, status="DRAFT")
    await factories.relation(database, shop, product, draft)
    await factories.collection(database, shop, product, is_published=False)
    await factories.review(database, shop, bare, status="REJECTED")
    await factories.category(database, shop)
    await factories.attribute(database, shop)


async def _vary(database: Database, made: Catalogue) -> None:
    """Add values of every type, and enough rows for pages to go on."""
    shop, product, variant = made.shop, made.first("product"), made.first("variant")
    rule = {"vendor": product.vendor, "tags": product.tags}
    await factories.collection(database, shop, rule=rule)
    for _ in range(3):
        _, sold = await factories.sellable(database, shop, category_id=product.category_id)
    elsewhere = {"channel_id": made.rows["channel"][1].id, "price_minor": 2**40}
    await factories.listing(database, shop, sold, available_from=LATE, **elsewhere)
    stored = {"on_hand": 3, "safety": 9, "backorder_limit": 1}
    await factories.stock(database, shop, sold, warehouse_id=made.rows["warehouse"][1].id, **stored)
    held = {"attribute_id": made.first("attribute").id}
    values = {"text_value": "ü", "number_value": Decimal("0.10"), "boolean_value": False, "date_value": LATE.date()}
    for place, (name, value) in enumerate(values.items()):
        for owner in (product, variant):
            await factories.assignment(database, shop, owner, position=place, **held, **{name: value})
    await factories.review(database, shop, product, rating=1, title="", author_subject="customer")


@pytest.fixture
async def tenant(database: Database, made):
    opened = database.of_tenant(made.shop.id)
    yield opened
    await opened.close()


def scope_of(made: Catalogue, view: str) -> Scope:
    return Scope(made.shop.default_channel_id, **VIEWS[view])


async def both(
    tenant: TenantDatabase, scope: Scope, table: type[Base], carried: Carried
) -> tuple[list[Any], list[Any]]:
    """Return all rows of a table with what is wanted of them: carried, and read level by level."""
    statement = trees.all_rows(table)
    records = await carrying.read(tenant, statement, scope, carried)
    one = [trees.finished(record, carried.wanted, carried.arguments) for record in records]
    rows = await carrying.read(tenant, statement, scope, None)
    return one, await trees.by_levels(Loaders(tenant), scope, rows, carried.wanted, carried.arguments)


def arguments_of(edge: Edge) -> list[dict[str, Any]]:
    """Return the arguments that a relation is tried with: none, few and many rows, pages in both directions."""
    if edge.relation.kind is Kind.PAGE:
        orders = ("newest", "price_desc", "name_asc") if edge.name == "products_of_category" else ("",)
        sizes = (0, 1, 100)
        return [
            {"paging": trees.page(size, forward=forward, order=order)}
            for order in orders
            for size in sizes
            for forward in (True, False)
        ]
    some = trees.arguments_of(edge, trees.chance_of(1))
    return [{**some, "first": first} for first in (0, 1, 50)] if "first" in some else [some]


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("edge", EDGES, ids=lambda edge: f"{edge.name}-{edge.key}")
async def test_each_relation_carries_what_its_loader_reads(tenant, made, edge: Edge, view):
    for given in arguments_of(edge):
        columns = trees.columns_of(edge.relation, getattr(given.get("paging"), "order", ""))
        wanted = Wanted((edge.key,), (Child(edge.relation, edge.key, 0, Wanted(columns)),))

        one, levels = await both(tenant, scope_of(made, view), edge.parent, Carried(wanted, [given]))

        assert one == levels
        assert [_types(row) for row in one] == [_types(row) for row in levels]
    # Of all rows some have children; that of a draft's review a shopper sees nothing is said elsewhere.
    assert any(row[1] for row in one)


_MARKED = [(edge, mark) for edge in EDGES for mark in edge.relation.present]


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(("edge", "mark"), _MARKED, ids=lambda each: getattr(each, "name", each))
async def test_a_column_that_is_always_there_marks_the_row(tenant, made, edge: Edge, mark, view):
    children = [
        Child(edge.relation, edge.key, 0, Wanted(trees.columns_of(edge.relation)), each) for each in (mark, None)
    ]
    carried = Carried(Wanted((edge.key,), tuple(children)), [{}])

    one, levels = await both(tenant, scope_of(made, view), edge.parent, carried)

    assert one == levels


_SOLD = ("price_of_variant", "compare_at_price_of_variant", "availability_of_variant")


@pytest.mark.parametrize("view", VIEWS)
async def test_what_is_made_of_the_same_rows_reads_them_once(tenant, made, view):
    relations = [getattr(catalogue, name) for name in _SOLD]
    children = [Child(each, "id", slot, Wanted(trees.columns_of(each))) for slot, each in enumerate(relations)]
    carried = Carried(Wanted(("sku",), tuple(children)), [{}, {}, {}])
    scope = scope_of(made, view)

    one, levels = await both(tenant, scope, products.Variant, carried)
    compiled, _ = carrying.carry(trees.all_rows(products.Variant), carried, scope.shape)

    assert one == levels
    assert [compiled.text.count(f"FROM {table} ") for table in ("variant", "listing", "stock_level")] == [1, 1, 1]


def _types(value: Any) -> Any:
    return [_types(each) for each in value] if isinstance(value, (list, tuple)) else type(value)


def test_every_relation_is_tried():
    declared = {name for name, value in vars(catalogue).items() if isinstance(value, Relation)}

    assert {edge.name for edge in EDGES} == declared
    assert all(getattr(catalogue, name).carries for name in declared)


async def test_every_column_of_every_view_was_tried_with_a_value(tenant, made):
    empty = set()
    for edge in EDGES:
        given = arguments_of(edge)[-1]
        columns = trees.columns_of(edge.relation, getattr(given.get("paging"), "order", ""))
        wanted = Wanted((), (Child(edge.relation, edge.key, 0, Wanted(columns)),))
        carried = Carried(wanted, [given])
        records = await carrying.read(tenant, trees.all_rows(edge.parent), scope_of(made, "staff"), carried)
        if edge.relation.kind is Kind.ONE:
            held = [joined for mark, *joined in records if mark]
        else:
            held = [each for (value,) in records for each in value]
        empty |= {(edge.name, name) for place, name in enumerate(columns) if all(row[place] is None for row in held)}

    # What a product has of itself is of no variant.
    assert empty == {("attributes_of_product", "variant_id")}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(
    "edge", [edge for edge in EDGES if edge.relation.kind is Kind.PAGE], ids=lambda edge: edge.name
)
@pytest.mark.parametrize("forward", [True, False])
async def test_a_page_goes_on_behind_a_cursor(tenant, made, edge: Edge, view, forward):
    scope = scope_of(made, view)
    order = "newest" if edge.name == "products_of_category" else ""
    columns = trees.columns_of(edge.relation, order)
    wanted = Wanted((edge.key,), (Child(edge.relation, edge.key, 0, Wanted(columns)),))
    whole, _ = await both(tenant, scope, edge.parent, Carried(wanted, [{"paging": trees.page(100, order=order)}]))
    longest = max((row[1][0] for row in whole), key=len)
    middle = longest[1]

    paging = trees.page(2, forward=forward, cursor=(middle[1], middle[0]), order=order)
    one, levels = await both(tenant, scope, edge.parent, Carried(wanted, [{"paging": paging}]))

    assert one == levels
    assert len(longest) >= 3
    assert (longest[2:4] if forward else longest[:1]) in [row[1][0] for row in one]


TABLES = [products.Product, products.Variant, categories.Category, collections.Collection, attributes.Attribute]


@pytest.mark.parametrize("seed", range(40))
async def test_trees_of_relations_are_carried_whole(tenant, made, seed):
    chance = trees.chance_of(seed)
    table = chance.choice(TABLES)
    arguments: list[dict[str, Any]] = []
    children = trees.grown(table, 3, chance, arguments)
    columns = tuple(chance.sample(sorted(column.key for column in table.__table__.primary_key), chance.randint(1, 2)))
    carried = Carried(Wanted(columns, children), arguments)

    one, levels = await both(tenant, scope_of(made, chance.choice(list(VIEWS))), table, carried)

    assert one == levels
    assert carried.used


async def test_a_statement_is_widened_at_its_first_sight_alone(made):
    edge = next(edge for edge in EDGES if edge.name == "reviews_of_product")
    wanted = Wanted(("id",), (Child(edge.relation, "id", 0, Wanted(("id", "sort_key"))),))
    statement, shape = trees.all_rows(products.Product), scope_of(made, "shopper").shape

    def widened(paging: Any) -> tuple[Any, dict[str, Any]]:
        return carrying.carry(statement, Carried(wanted, [{"paging": paging}]), shape)

    first, values = widened(trees.page(2))
    again, others = widened(trees.page(5))
    backward, _ = widened(trees.page(2, forward=False))

    assert again is first
    assert backward is not first
    assert (values, others) == ({"limit_0": 3}, {"limit_0": 6})


async def test_widened_statements_are_bounded(made, monkeypatch):
    monkeypatch.setattr(carrying, "_MOST_WIDENED", 3)
    monkeypatch.setattr(carrying, "_widened", type(carrying._widened)())
    statement, shape = trees.all_rows(products.Product), scope_of(made, "shopper").shape
    kept = Carried(Wanted(("id",)), [])
    first, _ = carrying.carry(statement, kept, shape)
    for _ in range(5):
        carrying.carry(statement, Carried(Wanted(("id",)), []), shape)
        assert carrying.carry(statement, kept, shape)[0] is first

    assert len(carrying._widened) == 3


async def test_a_page_that_is_carried_cannot_be_counted():
    given = {"paging": trees.page(2)}
    finish = catalogue.reviews_of_product.finish
    assert finish is not None

    with pytest.raises(LookupError, match="by its key"):
        await finish([], given).count()


async def test_only_the_tenant_s_rows_are_carried(database, tenant):
    other = await factories.shop(database)
    foreign = database.of_tenant(other.id)
    everything = select(func.count()).select_from(products.Product)
    edge = next(edge for edge in EDGES if edge.name == "product")
    wanted = Wanted(("product_id",), (Child(edge.relation, "product_id", 0, Wanted(("id",))),))

    found = await carrying.read(
        foreign, trees.all_rows(products.Variant), Scope(), Carried(wanted, [{}], is_whole=True)
    )

    assert found == []
    assert (await tenant.fetch(everything))[0][0] > 0
    await foreign.close()
