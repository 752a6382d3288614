"""What the statement of a root field is asked for: no more than the selection needs."""

import pytest
from graphql import OperationDefinitionNode, parse
from graphql.execution.values import VariableValues

from engine.compile import Compiler
from engine.layouts import Wanted
from schema.build import build


def wanted(text: str) -> Wanted:
    (operation,) = parse(text).definitions
    assert isinstance(operation, OperationDefinitionNode)
    plan = Compiler(build(), {}, operation, VariableValues({}, {}), hide_suggestions=False, folds=True).plan()
    carrying = plan.root.fields[0].carrying
    assert carrying is not None
    return carrying.wanted


@pytest.mark.parametrize(
    ("selection", "columns"),
    [
        ("nodes { name }", ("name",)),
        ("nodes { name } pageInfo { hasNextPage hasPreviousPage }", ("name",)),
        ("edges { node { name } }", ("name",)),
        ("edges { node { name } cursor }", ("id", "sort_key", "name")),
        ("nodes { name id } pageInfo { endCursor }", ("id", "sort_key", "name")),
        ("pageInfo { startCursor }", ("id", "sort_key")),
        ("pageInfo { hasNextPage }", ("id",)),
        ("nodes { __typename }", ("id",)),
    ],
)
def test_rows_of_a_page_bring_what_cursors_are_made_of_where_one_is_asked_for(selection, columns):
    assert wanted(f"{{ products {{ {selection} }} }}").columns == columns
    of_product = wanted(f'{{ product(slug: "a") {{ reviews {{ {selection.replace(" name", " title")} }} }} }}')
    assert of_product.children[0].wanted.columns == tuple(each.replace("name", "title") for each in columns)


@pytest.mark.parametrize(
    ("selection", "mark"),
    [
        ("price { amount }", "minor"),
        ("price { currency }", None),
        ("availability { quantity isAvailable }", "is_available"),
        ("availability { quantity }", None),
        ("product { name id }", "id"),
    ],
)
def test_a_row_is_marked_by_a_column_that_is_asked_for_anyway(selection, mark):
    variant = wanted(f'{{ product(slug: "a") {{ variants {{ {selection} }} }} }}').children[0].wanted

    assert [child.mark for child in variant.children] == [mark]
