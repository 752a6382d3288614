"""Values: lists of every nullability, scalars and enums, nulls that rise, errors with their paths and places."""

from decimal import Decimal
from typing import Any

import pytest
from graphql import GraphQLError, GraphQLScalarType, build_schema

from tests.engine.running import errors_of, run, same

BROKEN = RuntimeError("broken")
LISTS = ("[Int]", "[Int]!", "[Int!]", "[Int!]!")


def listing(declared: str) -> Any:
    return build_schema(f"type Query {{ above: Above, rest: Int }} type Above {{ list: {declared}, beside: Int }}")


@pytest.mark.parametrize("declared", LISTS)
@pytest.mark.parametrize(
    "value", [[1, 2], [], None, [1, None, 3], [1, BROKEN], BROKEN, 7, (1, 2), "text", {3: 4}.keys()]
)
async def test_lists_in_four_nullabilities(declared: str, value: Any):
    root = {"above": {"list": value, "beside": 1}, "rest": 2}
    result = await same(listing(declared), "{ above { beside list } rest }", root=root)
    assert result.data["rest"] == 2
    is_risen = declared.endswith("!") and value in (None, BROKEN, 7, "text")
    is_risen |= declared == "[Int!]!" and isinstance(value, list) and (None in value or BROKEN in value)
    assert (result.data["above"] is None) is is_risen


@pytest.mark.parametrize("outer", ["[{}]", "[{}!]", "[{}]!", "[{}!]!"])
@pytest.mark.parametrize("inner", LISTS)
@pytest.mark.parametrize("value", [[[1], [2, 3]], [[1], None], [[None]], [[1], BROKEN], [[1, BROKEN], [2]], [7], []])
async def test_lists_of_lists(outer: str, inner: str, value: Any):
    if outer.startswith("[{}!"):
        outer, inner = outer.replace("!]", "]"), inner if inner.endswith("!") else f"{inner}!"
    await same(listing(outer.format(inner)), "{ above { list } }", root={"above": {"list": value}})


async def test_elements_are_waited_for_wherever_they_come_from():
    async def later(value: Any) -> Any:
        return value

    async def stream() -> Any:
        yield 1
        yield later(2)

    schema = listing("[Int]")
    for make in (lambda: [later(1), 2], lambda: (each for each in (1, later(2))), stream, lambda: later([1, later(2)])):
        assert (await run(schema, "{ above { list } }", root={"above": {"list": make()}})).data == {
            "above": {"list": [1, 2]}
        }


TREE = build_schema("""
    type Query { top: Node, must: Node!, nodes: [Node!], holes: [Node] }
    type Node { id: Int!, may: Int, next: Node, must: Node!, list: [Node!] }
""")


async def test_a_null_rises_to_the_nearest_place_that_takes_one():
    root = {"top": {"id": 1, "next": {"id": 2, "must": {"id": 3, "must": {"id": None}}}}}
    text = "{ top { id next { must { id must {\n id } } } } }"
    result = await same(TREE, text, root=root)
    assert result.data == {"top": {"id": 1, "next": None}}
    [error] = result.errors
    assert error.path == ["top", "next", "must", "must", "id"]
    assert [(each.line, each.column) for each in error.locations] == [(2, 2)]
    assert error.message == "Cannot return null for non-nullable field Node.id."


async def test_a_null_rises_out_of_the_response():
    assert (await same(TREE, "{ must { may id } }", root={"must": {"id": BROKEN, "may": 1}})).data is None


async def test_a_null_rises_out_of_a_list_or_stays_in_it():
    root = {"nodes": [{"id": 1}, {"id": None}], "holes": [{"id": 1}, {"id": None}, {"id": 3}]}
    result = await same(TREE, "{ nodes { id } holes { id } }", root=root)
    assert result.data == {"nodes": None, "holes": [{"id": 1}, None, {"id": 3}]}
    assert [path for path, _ in errors_of(result)] == [["nodes", 1, "id"], ["holes", 1, "id"]]


async def test_errors_come_in_the_order_of_the_document():
    node = {"id": 1, "may": BROKEN}
    root = {"holes": [node, node], "top": {**node, "next": node}}
    result = await run(TREE, "{ holes { may } top { next { may } may } }", root=root)
    assert [path for path, _ in errors_of(result)] == [
        ["holes", 0, "may"],
        ["holes", 1, "may"],
        ["top", "next", "may"],
        ["top", "may"],
    ]


async def test_the_places_of_all_merged_fields_are_told():
    result = await same(TREE, "{ top { may ...F } }\nfragment F on Node { may }", root={"top": {"may": BROKEN}})
    assert [(each.line, each.column) for each in result.errors[0].locations] == [(1, 9), (2, 22)]


async def test_one_error_is_told_where_several_null_the_same_place():
    result = await run(TREE, "{ top { id must { id } } }", root={"top": {"id": BROKEN, "must": {"id": BROKEN}}})
    assert (result.data, len(result.errors)) == ({"top": None}, 1)


async def test_an_error_keeps_its_cause_its_extensions_and_its_own_path():
    class Refused(Exception):
        pass

    refused, told = Refused("no"), GraphQLError("told", extensions={"code": "TOLD"})
    result = await same(TREE, "{ top { may next { may } } }", root={"top": {"may": refused, "next": {"may": told}}})
    first, second = result.errors
    assert first.original_error is refused
    assert second.extensions == {"code": "TOLD"}
    assert second.path == ["top", "next", "may"]


LEAVES = build_schema("""
    scalar Price
    enum Colour { RED GREEN }
    type Query {
        price: Price, prices: [Price!], colour: Colour, int: Int, float: Float, id: ID, text: String
        flag: Boolean
    }
""")
PRICE = LEAVES.type_map["Price"]
assert isinstance(PRICE, GraphQLScalarType)
LEAVES.type_map["Colour"].values["RED"].value = ("r", 1)


def show(value: Any) -> Any:
    if value < 0:
        raise ValueError("less than nothing")
    return None if value == 0 else f"{value:.2f}"


PRICE.coerce_output_value = show


async def test_serialisers_show_raise_and_find_nothing():
    text = "{ price prices colour }"
    good = await same(LEAVES, text, root={"price": Decimal(1), "prices": [Decimal(2)], "colour": ("r", 1)})
    assert good.data == {"price": "1.00", "prices": ["2.00"], "colour": "RED"}
    bad = await same(LEAVES, text, root={"price": -1, "prices": [1, 0], "colour": "RED"})
    assert bad.data == {"price": None, "prices": None, "colour": None}
    assert [path for path, _ in errors_of(bad)] == [["price"], ["prices", 1], ["colour"]]


@pytest.mark.parametrize(
    "value", [True, 1, 1.0, 1.5, "1", "x", 2**31, 2**60, float("nan"), float("inf"), [], {}, Decimal("1.5"), b"x"]
)
@pytest.mark.parametrize("field", ["int", "float", "id", "text", "flag"])
async def test_built_in_scalars_take_what_graphql_core_takes(field: str, value: Any):
    await same(LEAVES, f"{{ {field} }}", root={field: value})


async def test_values_of_all_parents_are_the_same_as_one_by_one():
    """A level is built at once; one unusual value among usual ones must not change the others."""
    values = [1, 2, BROKEN, True, 4.0, None, "6", lambda _info: 7]
    root = {"holes": [{"id": 1, "may": value} for value in values]}
    result = await same(TREE, "{ holes { id may } }", root=root)
    assert [each["may"] for each in result.data["holes"]] == [1, 2, None, 1, 4, None, 6, 7]
