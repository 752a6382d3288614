"""Values below a category that cannot be made, though its statement has brought them: the errors are still theirs."""

import pytest
from graphql import parse, validate

from core.clock import system_clock
from core.ids import encode_global_id
from engine.executables import Executable
from engine.executions import Executions
from loaders import Loaders
from resolvers.context import SYSTEM, Context
from schema.build import build
from tests import factories
from tests.api.catalogues import catalogue
from tests.engine.comparing import Outcome, operation_of

SCHEMA = build()
BELOW = {
    "a parent": ("Category", "parent { id name }", ["category", "parent", "id"]),
    "a child in a list": ("Category", "name children(first: 3) { name id }", ["category", "children", 0, "id"]),
    "a row of a page": ("Product", "products(first: 3) { nodes { id } }", ["category", "products", "nodes", 0, "id"]),
    "two levels below": (
        "Variant",
        "products(first: 1) { nodes { name variants(first: 2) { id } } }",
        ["category", "products", "nodes", 0, "variants", 0, "id"],
    ),
}


class Broken(Exception):
    """What a computed field raises here."""


@pytest.fixture
async def made(database):
    """A catalogue whose first category has one above it and one below it."""
    made = await catalogue(database, await factories.shop(database), 1)
    above = await factories.category(database, made.shop)
    middle = await factories.category(database, made.shop, parent=above)
    await factories.category(database, made.shop, parent=middle)
    await factories.sellable(database, made.shop, category_id=middle.id)
    return made.shop, middle


async def execute(database, made, selection, executor):
    """Execute an operation on the category; return the outcome and who executed."""
    shop, category = made
    document = parse(f'{{ category(id: "{encode_global_id("Category", category.id)}") {{ {selection} }} }}')
    assert validate(SCHEMA, document) == []
    executions = Executions()
    executable = Executable(SCHEMA, document, operation_of(document, None), executions=executions)
    tenant = database.of_tenant(shop.id)
    context = Context(shop=shop, actor=SYSTEM, database=tenant, loaders=Loaders(tenant), clock=system_clock)
    try:
        return Outcome.of(await executable.execute({}, context=context, executor=executor)), executions
    finally:
        await tenant.close()


def compute(monkeypatch, type_name, function):
    """Let the ids of a type be made in some way."""
    field = SCHEMA.type_map[type_name].fields["id"].extensions["strawberry-definition"]
    monkeypatch.setattr(field, "metadata", {**field.metadata, "function": function})


def raising(*, spared):
    def make(row_id):
        if row_id == spared:
            return "spared"
        raise Broken("cannot be computed")

    return make


@pytest.mark.parametrize("place", BELOW)
async def test_what_is_well_is_folded(database, made, place):
    _, selection, _ = BELOW[place]
    expected, _ = await execute(database, made, selection, "reference")
    outcome, executions = await execute(database, made, selection, "compiled")
    assert outcome == expected
    assert not outcome.errors
    assert executions == Executions(folded=1)


@pytest.mark.parametrize("place", BELOW)
@pytest.mark.parametrize("fault", ["raises", "is null", "cannot be serialised"])
async def test_a_computed_field_below_a_category_fails_alone(database, made, monkeypatch, place, fault):
    type_name, selection, path = BELOW[place]
    _, category = made
    faults = {"raises": raising(spared=category.id), "is null": lambda _: None, "cannot be serialised": lambda _: {}}
    compute(monkeypatch, type_name, faults[fault])
    expected, _ = await execute(database, made, selection, "reference")
    outcome, executions = await execute(database, made, selection, "compiled")

    assert outcome == expected
    assert [list(each.path) for each in outcome.errors] == [path]
    assert executions == Executions(loaders=1, bails=1)
