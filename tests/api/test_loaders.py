"""Every relation is read in one batch: the number of statements depends on what is asked, not on how much there is."""

import orjson
import pytest

from core.database import Database
from schema.build import build
from tests import factories
from tests.api.catalogues import Catalogue, catalogue
from tests.api.paths import Way, reachable, ways

SCHEMA = build()
FEW, MANY = 2, 20

LISTS = ("products", "collections", "attributes", "productTypes", "warehouses", "channels", "reviews")
"""Root fields that give many objects: below them lies the way on which a field has many parents."""

WAYS = ways(SCHEMA, first=LISTS)


def arguments(made: Catalogue) -> dict[str, str]:
    """What is written behind the fields that cannot do without."""
    ids = [made.id_of(name) for name in ("Product", "Variant", "Category", "Collection", "Review", "Media", "Channel")]
    return {
        "Query.product": f'(id: "{made.id_of("Product")}")',
        "Query.variant": f'(id: "{made.id_of("Variant")}")',
        "Query.category": f'(id: "{made.id_of("Category")}")',
        "Query.collection": f'(id: "{made.id_of("Collection")}")',
        "Query.node": f'(id: "{made.id_of("Product")}")',
        "ProductSearchConnection.facets": "(first: 50)",
        "Variant.listings": "(first: 5)",
        "Variant.stockLevels": "(first: 5)",
        "Variant.translations": "(first: 5)",
        "Query.nodes": f"(ids: {orjson.dumps(ids).decode()})",
    }


@pytest.fixture(scope="module")
async def few(database: Database) -> Catalogue:
    return await catalogue(database, await factories.shop(database), FEW)


@pytest.fixture(scope="module")
async def many(database: Database) -> Catalogue:
    return await catalogue(database, await factories.shop(database), MANY)


@pytest.mark.parametrize("executor", ["compiled", "loaders", "reference"])
@pytest.mark.parametrize("way", WAYS.values(), ids=lambda way: way.name)
async def test_the_number_of_statements_does_not_grow_with_the_number_of_parents(api, few, many, way: Way, executor):
    by = {"Galleria-Executor": executor}
    small = await api.of(few.shop)(way.query(SCHEMA, arguments(few)), role="owner", **by)
    large = await api.of(many.shop)(way.query(SCHEMA, arguments(many)), role="owner", **by)

    assert small.statements == large.statements
    # Without objects there would be nothing to read for each of them.
    assert len(way.children(small.data)) > 0
    if way.multiplies(SCHEMA):
        assert len(way.parents(small.data)) >= FEW
        assert len(way.parents(large.data)) >= MANY


def test_every_field_that_can_be_reached_is_covered():
    assert set(WAYS) == reachable(SCHEMA)
